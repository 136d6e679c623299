//! The token vectors against `ctkip-token`: every file in `tokens/` whose `kind` is known, whatever
//! it is called. Primitives, which are not public, are run by the crate's own tests.

use base64::{Engine, engine::general_purpose::STANDARD};
use ctkip_tests::{
    rng::Scripted,
    vectors::{folder, from_hex, to_hex as hex},
};
use ctkip_token::{
    Error, Labels, Opened, Pin, Token, Unlock,
    ctf::{self, Form, Link},
    link::{ActivationLink, Http},
    read_file, read_text, sdtid,
    stokenrc::StokenRc,
};
use serde_json::Value;

/// Runs all items of all files of this kind, prints how many passed, and fails if any did not.
fn run(kind: &str, case: impl Fn(&Value) -> Result<(), String>) {
    let Some(files) = folder("tokens") else { return };
    let (mut ran, mut failures) = (0, Vec::new());
    for (name, file) in files.iter().filter(|(_, file)| file["kind"] == kind) {
        let items = file["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        assert!(!items.is_empty(), "tokens/{name}.json holds no case");
        let problem = |item| Some((item, case(item).err()?));
        let failed: Vec<_> = items.iter().filter_map(problem).collect();
        println!(
            "tokens/{name}.json: {} of {} cases passed",
            items.len() - failed.len(),
            items.len()
        );
        ran += items.len();
        failures.extend(failed.iter().map(|(item, problem)| format!("{}: {problem}", item["id"])));
    }
    if ran == 0 {
        println!("SKIP tokens/: no file of kind {kind}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A member that must be a text.
fn text<'v>(item: &'v Value, name: &str) -> &'v str {
    item[name].as_str().unwrap_or_else(|| panic!("{name} is no text in {item}"))
}

/// Fails with both values if they differ.
fn check(what: &str, got: impl Into<Value>, want: impl Into<Value>) -> Result<(), String> {
    let (got, want) = (got.into(), want.into());
    if got == want { Ok(()) } else { Err(format!("{what} is {got} instead of {want}")) }
}

/// A random source that yields the Secret of a document, or any if that has none.
fn secret_of(document: &str) -> Scripted {
    let secret = document.split_once("<Secret>").and_then(|(_, rest)| rest.split_once("</"));
    let secret = secret.and_then(|(secret, _)| STANDARD.decode(secret).ok()).unwrap_or_default();
    Scripted::new(&[&secret]).then_anything()
}

/// A random source that yields the first half of the encrypted PIN in a stokenrc file.
fn initial_vector_of(rcfile: &str) -> Scripted {
    let pin = rcfile.lines().find_map(|line| line.strip_prefix("pin "));
    Scripted::new(&[&from_hex(pin.and_then(|pin| pin.get(..32)).unwrap_or_default())])
}

/// Opens a vector's token, in `text` or `input`, as a file's content or as an argument.
fn open(item: &Value, name: &str) -> Result<Opened, Error> {
    let unlock = Unlock { password: item["password"].as_str(), device_id: item["devid"].as_str() };
    match item["as_file"].as_bool() {
        Some(true) => read_file(text(item, name).as_bytes(), &unlock),
        _ => read_text(text(item, name), &unlock),
    }
}

/// A token as the peer keeps it: without labels.
fn bare(opened: Opened) -> Token {
    let mut token = opened.token;
    token.labels = Labels::default();
    token
}

/// Names of errors that are one class to a new reader.
fn class(reason: &str) -> &str {
    match reason {
        "no-token" | "general" => "garbled",
        "devid-wrong" => "devid",
        "password-wrong" => "decrypt",
        other => other,
    }
}

#[test]
fn vectors_tokens_decode() {
    run("tokens", |item| {
        let opened = open(item, "text").map_err(|error| error.to_string())?;
        let (token, decoded) = (&opened.token, &item["decoded"]);
        check("format", opened.format.as_str(), text(item, "format"))?;
        check("serial", token.serial.as_str(), text(decoded, "serial"))?;
        check("seed", hex(token.seed.expose()), text(decoded, "seed"))?;
        check("digits", u64::from(token.digits().get()), decoded["digits"].clone())?;
        check("interval", token.interval().seconds(), decoded["interval"].clone())?;
        check("PIN mode", u64::from(token.pin_mode().number()), decoded["pin_mode"].clone())?;
        check("flags", format!("{:04x}", opened.flags_word()), text(decoded, "flags"))?;
        match decoded["exp_day"].as_u64() {
            Some(day) => {
                check("expiry", u64::from(token.expiry.days()), day)?;
                check("last day", token.expiry.last_day(), text(decoded, "last_day"))
            }
            None => check("expiry beyond 16 bits", token.expiry.days() > 65_535, true),
        }
    });
}

#[test]
fn vectors_tokens_codes() {
    run("tokens", |item| {
        let token = open(item, "text").map_err(|error| error.to_string())?.token;
        let pin = item["pin"].as_str().map(Pin::new).transpose().map_err(|e| e.to_string())?;
        if let Some(applies) = item["pin_applies"].as_bool() {
            check("PIN applies", token.pin_mode().uses_pin(), applies)?;
        }
        let pin = pin.filter(|_| token.pin_mode().uses_pin());
        for row in item["codes"].as_array().ok_or("no codes")? {
            let time = row["time"].as_u64().ok_or("no time")?;
            check("code", token.tokencode(time, None).expose(), text(row, "code"))?;
            if let Some(code) = row["code_with_pin"].as_str() {
                check("code with PIN", token.tokencode(time, pin.as_ref()).expose(), code)?;
            }
            let interval = token.interval().seconds();
            if let Some(before) = time.checked_sub(interval) {
                check("next", token.next_tokencode(before, None).expose(), text(row, "code"))?;
            }
            let left = token.seconds_left(time);
            check("start of the next interval", (time + left) % interval, 0)?;
            check("seconds left", (1..=interval).contains(&left), true)?;
        }
        Ok(())
    });
}

#[test]
fn vectors_tokens_encode() {
    run("tokens", |item| {
        let expected = text(item, "text");
        let token = bare(open(item, "text").map_err(|error| error.to_string())?);
        let unlock =
            Unlock { password: item["password"].as_str(), device_id: item["devid"].as_str() };
        let link = || Link::ALL.into_iter().find(|link| expected.starts_with(link.prefix()));
        let written = match (text(item, "format"), text(item, "form")) {
            ("ctf-v1" | "ctf-v2", "plain") => ctf::write(&token, Form::Plain, &unlock),
            ("ctf-v1" | "ctf-v2", "blocks") => ctf::write(&token, Form::Blocks, &unlock),
            ("ctf-v1" | "ctf-v2", _) => {
                ctf::write(&token, Form::Link(link().ok_or("no prefix")?), &unlock)
            }
            ("ctf-v3" | "ctf-v4", _) => {
                let link = link().ok_or("no prefix")?;
                ctf::write_v3(
                    &token,
                    link,
                    &unlock,
                    &mut Scripted::new(&[&from_hex(text(item, "nonce"))]),
                )
            }
            ("sdtid", _) => {
                let unlock = Unlock { device_id: item["bound_devid"].as_str(), ..unlock };
                let options = sdtid::WriteOptions { unlock, template: item["template"].as_str() };
                sdtid::write(&token, &options, &mut secret_of(expected))
            }
            other => return Err(format!("cannot write {other:?}")),
        };
        let written = written.map_err(|error| error.to_string())?;
        if item["encode_exact"] == true {
            return check("text", written, expected);
        }
        // Not a text that we write, an older version for instance: ours must be as good.
        let reread = read_text(&written, &unlock).map_err(|error| error.to_string())?;
        check("seed read back", hex(reread.token.seed.expose()), hex(token.seed.expose()))?;
        check("flags read back", reread.token.flags.bits(), token.flags.bits())?;
        check("expiry read back", reread.token.expiry.days(), token.expiry.days())
    });
}

#[test]
fn vectors_tokens_malformed() {
    run("malformed", |item| match (open(item, "input"), text(item, "recommended")) {
        (Ok(opened), "accept") => {
            let token = &opened.token;
            check("serial", token.serial.as_str(), text(item, "recommended_serial"))?;
            check("seed", hex(token.seed.expose()), text(item, "recommended_seed"))
        }
        (Err(error), "reject") => {
            let expected = class(text(item, "recommended_reason"));
            check(&format!("reason of {error:?}"), class(error.kind().as_str()), expected)
        }
        (Ok(_), _) => Err("was accepted".into()),
        (Err(error), _) => Err(format!("was refused: {error}")),
    });
}

#[test]
fn vectors_tokens_expiry() {
    run("expiry", |item| {
        let expiry = open(item, "text").map_err(|error| error.to_string())?.token.expiry;
        if let Some(day) = item["exp_day"].as_u64() {
            check("day", u64::from(expiry.days()), day)?;
        }
        for row in item["rows"].as_array().ok_or("no rows")? {
            let time = row["time"].as_u64().ok_or("no time")?;
            let (expired, left) = (expiry.expired(time), expiry.days_left(time));
            let warning = (!expired && left < 14).then_some(left);
            let case = format!("at {time}");
            // Where the peer clamps to 2038, the rule holds with the true last day.
            if row["peer_2038_clamp"] == true {
                let end = 946_684_800 + (u64::from(expiry.days()) + 1) * 86_400;
                let true_left = (end as i64 + 43_200 - time as i64) / 86_400;
                check(&case, left, true_left)?;
                check(&case, expired, time >= end + 129_600)?;
            } else {
                check(&case, expired, row["expired"].clone())?;
                check(&case, warning, row["warn_days"].clone())?;
            }
        }
        Ok(())
    });
}

#[test]
fn vectors_tokens_sdtid_export() {
    run("sdtid-export", |item| {
        let token = bare(open(&item["source"], "text").map_err(|error| error.to_string())?);
        let unlock = Unlock {
            password: item["new_password"].as_str(),
            device_id: item["new_devid"].as_str(),
        };
        let options = sdtid::WriteOptions { unlock, template: item["template"].as_str() };
        let expected = text(item, "sdtid");
        let written = sdtid::write(&token, &options, &mut secret_of(expected));
        let written = match (written, item["exit"].as_i64()) {
            (Ok(written), Some(0)) => written,
            (Err(_), Some(1)) => return Ok(()),
            (Ok(_), _) => return Err("was written".into()),
            (Err(error), _) => return Err(format!("was refused: {error}")),
        };
        if item["exact"] == true {
            check("document", written.as_str(), expected)?;
        } else {
            check("document but for secrets", settled(&written), settled(expected))?;
        }
        let reread = sdtid::read(&written, &unlock).map_err(|error| error.kind());
        let peers = sdtid::read(expected, &unlock).map_err(|error| error.kind());
        let seed = |opened: Opened| hex(opened.token.seed.expose());
        check("seed read back", format!("{:?}", reread.map(seed)), format!("{:?}", peers.map(seed)))
    });
}

/// The lines of a document that do not depend on randomness.
fn settled(document: &str) -> String {
    const RANDOM: [&str; 5] = ["<Secret>", "<Seed>", "<HeaderMAC>", "<TokenMAC>", "<BatchSig"];
    let random = |line: &&str| RANDOM.iter().any(|name| line.trim_start().starts_with(name));
    document.lines().filter(|line| !random(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn vectors_tokens_stokenrc() {
    run("stokenrc", |item| match item["edited"].as_bool() {
        Some(true) => edited(item),
        _ => written_by_the_peer(item),
    });
}

fn written_by_the_peer(item: &Value) -> Result<(), String> {
    let (rcfile, password) = (text(item, "rcfile"), item["password"].as_str());
    let unlock = Unlock { password, ..Unlock::NONE };
    let rc = StokenRc::parse(rcfile).map_err(|error| error.to_string())?;
    let opened = rc.token(&unlock).map_err(|error| error.to_string())?;
    let pin = rc.pin(&opened, password).map_err(|error| error.to_string())?;
    check("PIN", pin.as_ref().map(Pin::expose), item["pin"].clone())?;
    for row in item["codes"].as_array().ok_or("no codes")? {
        let time = row["time"].as_u64().ok_or("no time")?;
        check("code", opened.token.tokencode(time, pin.as_ref()).expose(), text(row, "code"))?;
    }
    check("unchanged", rc.to_text().as_str(), rcfile)?;
    let source = open(&item["source"], "text").map_err(|error| error.to_string())?.token;
    let mut anew = StokenRc::new();
    anew.store(&source, pin.as_ref(), &unlock, &mut initial_vector_of(rcfile))
        .map_err(|error| error.to_string())?;
    check("written anew", anew.to_text().as_str(), rcfile)
}

/// What `stoken tokencode --batch --force` does with a file changed by hand.
fn edited(item: &Value) -> Result<(), String> {
    let password = item["password"].as_str();
    let time = item["time"].as_u64().ok_or("no time")?;
    let code = || -> Result<String, String> {
        let rc = StokenRc::parse(text(item, "rcfile")).map_err(|error| error.to_string())?;
        let unlock = Unlock { password, ..Unlock::NONE };
        let opened = rc.token(&unlock).map_err(|error| error.to_string())?;
        let pin = rc.pin(&opened, password).ok().flatten();
        if pin.is_none() && opened.token.pin_mode().uses_pin() {
            return Err("the user would be asked for a PIN".into());
        }
        Ok(opened.token.tokencode(time, pin.as_ref()).expose().into())
    };
    match (code(), item["exit"].as_i64()) {
        (Ok(code), Some(0)) => check("code", format!("{code}\n"), text(item, "stdout")),
        (Err(_), Some(1)) => Ok(()),
        (code, exit) => Err(format!("{code:?} where the peer exits with {exit:?}")),
    }
}

#[test]
fn vectors_tokens_ctkip_links() {
    run("ctkip-links", |item| {
        let http = if item["allow_http"] == true { Http::Allow } else { Http::Refuse };
        let expect = &item["expect"];
        match (ActivationLink::parse(text(item, "input"), http), expect["error"].as_str()) {
            (Ok(link), None) => {
                let code = link.activation_code.as_ref().map(|code| code.expose());
                check("URL", link.url.as_str(), text(expect, "url"))?;
                check("code", code, expect["activation_code"].clone())
            }
            (Err(error), Some(expected)) => check("error", error.kind(), expected),
            (Ok(link), Some(_)) => Err(format!("was accepted: {}", link.url)),
            (Err(error), None) => Err(format!("was refused: {error}")),
        }
    });
}
