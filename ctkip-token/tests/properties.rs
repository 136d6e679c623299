//! What is written reads back the same, in every form; what is read can be written again.

use ctkip_token::{
    ExpiryDay, Flags, Labels, Opened, Pin, Seed, Serial, Token, Unlock,
    ctf::{self, Form, Link},
    json, read_batch, read_file, read_text, sdtid,
    stokenrc::StokenRc,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;

/// Octets that go on and on.
struct Counter(u8);

impl TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes([self.next(), self.next(), self.next(), self.next()]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.try_next_u32()?) << 32 | u64::from(self.try_next_u32()?))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.fill_with(|| self.next());
        Ok(())
    }
}

impl TryCryptoRng for Counter {}

impl Counter {
    fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(5).wrapping_add(3);
        self.0
    }
}

/// The last day of numeric tokens.
const MAX_NUMERIC: u32 = 16_383;

/// Bits of the flags that an sdtid document holds beside digits and interval.
const SDTID: u16 = Flags::TIME_DERIVED | Flags::MODE | Flags::APP_DERIVED | Flags::AES | 0x01D8;

fn token(days: std::ops::RangeInclusive<u32>) -> impl Strategy<Value = Token> {
    (0..1_000_000_000_000_u64, any::<[u8; 16]>(), any::<u16>(), days).prop_map(
        |(serial, seed, flags, days)| {
            let serial = Serial::new(&serial.to_string()).unwrap();
            let expiry = ExpiryDay::from_days(days).unwrap();
            Token::new(serial, Seed::new(seed), Flags::from_bits(flags), expiry)
        },
    )
}

fn labels() -> impl Strategy<Value = Labels> {
    let text = || "\\PC{0,20}".prop_map(|text| text.trim_ascii().to_owned());
    (text(), text(), text(), text(), text(), text(), any::<u32>()).prop_map(
        |(issuer, user, first_name, last_name, nickname, device_id, pin_type)| Labels {
            issuer: if issuer == "N/A" { String::new() } else { issuer },
            user,
            first_name,
            last_name,
            nickname,
            device_id,
            pin_type,
        },
    )
}

fn locks() -> impl Strategy<Value = (Option<String>, Option<String>)> {
    let password = "\\PC{1,40}".prop_filter("at most 40 octets", |text| text.len() <= 40);
    (option::of(password), option::of("\\PC{1,60}"))
}

fn unlock((password, device_id): &(Option<String>, Option<String>)) -> Unlock<'_> {
    Unlock { password: password.as_deref(), device_id: device_id.as_deref() }
}

/// Everything about a token that can be compared.
fn parts(token: &Token, flags: u16) -> (String, [u8; 16], u16, u32, Labels) {
    let (serial, seed) = (token.serial.to_string(), *token.seed.expose());
    (serial, seed, token.flags.bits() & flags, token.expiry.days(), token.labels.clone())
}

fn all(token: &Token) -> (String, [u8; 16], u16, u32, Labels) {
    parts(token, u16::MAX)
}

/// Flags as a form of restricted means holds them.
fn normal(flags: Flags, kept: u16, set: u16) -> Flags {
    let interval = u16::from(flags.interval().seconds() == 60);
    Flags::from_bits(flags.bits() & kept | set | interval)
}

fn locked(opened: &Opened) -> (bool, bool) {
    (opened.password_locked, opened.device.is_some())
}

const LINKS: [Link; 3] = Link::ALL;

fn forms() -> impl Strategy<Value = Form> {
    let links = LINKS.map(Form::Link);
    select([&[Form::Plain, Form::Blocks], &links[..]].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    #[test]
    fn numeric(token in token(0..=MAX_NUMERIC), form in forms(), locks in locks()) {
        let text = ctf::write(&token, form, &unlock(&locks)).unwrap();
        let opened = read_text(&text, &unlock(&locks)).unwrap();
        prop_assert_eq!(all(&opened.token), all(&token));
        prop_assert_eq!(locked(&opened), (locks.0.is_some(), locks.1.is_some()));
        let file = format!("Dear user,\r\n\r\n{text}\r\nregards\r\n");
        let opened = read_file(file.as_bytes(), &unlock(&locks));
        // A link in the middle of a file is no smartphone form, yet opens all the same.
        prop_assert_eq!(all(&opened.unwrap().token), all(&token));
    }

    #[test]
    fn numeric_has_no_room_for_later_days(token in token(MAX_NUMERIC + 1..=ExpiryDay::MAX.days())) {
        let error = ctf::write(&token, Form::Plain, &Unlock::NONE).unwrap_err();
        prop_assert_eq!(error.kind().as_str(), "invalid-value");
    }

    #[test]
    fn version_3(
        mut token in token(0..=ExpiryDay::MAX.days()),
        link in select(&LINKS[..]),
        locks in locks(),
        random in any::<u8>(),
    ) {
        let text = ctf::write_v3(&token, link, &unlock(&locks), &mut Counter(random)).unwrap();
        let opened = read_text(&text, &unlock(&locks)).unwrap();
        token.flags = normal(token.flags, Flags::MODE | 0x01D0, Flags::AES | Flags::TIME_DERIVED);
        prop_assert_eq!(all(&opened.token), all(&token));
        prop_assert_eq!(locked(&opened), (locks.0.is_some(), locks.1.is_some()));
    }

    #[test]
    fn sdtid_documents(
        mut token in token(1..=ExpiryDay::MAX.days()),
        labels in labels(),
        locks in locks(),
        random in any::<u8>(),
    ) {
        token.labels = labels;
        let options = sdtid::WriteOptions { unlock: unlock(&locks), template: None };
        let text = sdtid::write(&token, &options, &mut Counter(random)).unwrap();
        prop_assert!(text.is_ascii() && !text.contains("></"), "{}", text);
        let opened = read_file(text.as_bytes(), &unlock(&locks)).unwrap();
        prop_assert_eq!(locked(&opened), (locks.0.is_some(), false));
        token.flags = normal(token.flags, SDTID, 0);
        if let Some(id) = &locks.1 {
            token.labels.device_id = id.trim_ascii().to_owned();
        }
        prop_assert_eq!(all(&opened.token), all(&token));
    }

    #[test]
    fn templates(mut token in token(1..=ExpiryDay::MAX.days()), labels in labels()) {
        token.labels = labels;
        let template = sdtid::write_template(&token).unwrap();
        token.flags = normal(token.flags, SDTID, 0);
        prop_assert_eq!(all(&sdtid::read_template(&template).unwrap()), all(&token));
        // Whatever token is exported with it, the template's comes out.
        let other = Token::new(
            Serial::new("1").unwrap(), Seed::new([0; 16]), Flags::from_bits(0), ExpiryDay::MAX,
        );
        let options = sdtid::WriteOptions { template: Some(&template), ..Default::default() };
        let text = sdtid::write(&other, &options, &mut Counter(1)).unwrap();
        prop_assert_eq!(all(&sdtid::read(&text, &Unlock::NONE).unwrap().token), all(&token));
    }

    #[test]
    fn stokenrc(
        token in token(0..=MAX_NUMERIC),
        pin in option::of("[0-9]{4,8}"),
        locks in locks(),
        other in "(# [a-z ]{0,9}|colour [a-z]{1,9}|)",
    ) {
        let mut rc = StokenRc::parse(&format!("version 1\n{other}\n")).unwrap();
        let pin = pin.map(|pin| Pin::new(&pin).unwrap());
        rc.store(&token, pin.as_ref(), &unlock(&locks), &mut Counter(9)).unwrap();
        let rc = StokenRc::parse(&rc.to_text()).unwrap();
        prop_assert!(rc.to_text().lines().any(|line| line == other));
        let opened = rc.token(&unlock(&locks)).unwrap();
        prop_assert_eq!(all(&opened.token), all(&token));
        let stored = rc.pin(&opened, locks.0.as_deref()).unwrap();
        prop_assert_eq!(stored.as_ref().map(Pin::expose), pin.as_ref().map(Pin::expose));
    }

    #[test]
    fn json_objects(mut token in token(0..=ExpiryDay::MAX.days()), labels in labels()) {
        token.labels = labels;
        let text = json::write(&token, json::WithSeed::Yes);
        prop_assert_eq!(all(&json::read(&text).unwrap().token), all(&token));
        prop_assert_eq!(all(&read_file(text.as_bytes(), &Unlock::NONE).unwrap().token), all(&token));
        let text = json::write(&token, json::WithSeed::No);
        prop_assert!(!text.contains("seed"));
        prop_assert!(json::read(&text).is_err());
    }

    #[test]
    fn issued_tokens(now in 946_684_800..4_102_444_800_u64, random in any::<u8>(), locks in locks()) {
        let options = sdtid::WriteOptions { unlock: unlock(&locks), template: None };
        let text = sdtid::issue(now, &options, &mut Counter(random)).unwrap();
        let token = sdtid::read(&text, &unlock(&locks)).unwrap().token;
        prop_assert_eq!(token.flags.bits(), 0x43D1);
        prop_assert_eq!(token.expiry, ExpiryDay::from_unix(now + 1825 * 86_400).unwrap());
    }

    /// Whatever a reader makes of a damaged text, a writer can write, and a reader reads the same.
    #[test]
    fn accepted_texts_can_be_written_again(
        token in token(1..=MAX_NUMERIC),
        form in select(&["plain", "v3", "sdtid"][..]),
        damage in vec((any::<prop::sample::Index>(), "[ -~]"), 0..3),
    ) {
        let text = match form {
            "plain" => ctf::write(&token, Form::Plain, &Unlock::NONE).unwrap(),
            "v3" => ctf::write_v3(&token, Link::SecurId, &Unlock::NONE, &mut Counter(1)).unwrap(),
            _ => sdtid::write(&token, &Default::default(), &mut Counter(1)).unwrap(),
        };
        let mut octets = text.into_bytes();
        for (index, new) in damage {
            let at = index.index(octets.len());
            octets[at] = new.as_bytes()[0];
        }
        let Ok(opened) = read_file(&octets, &Unlock::NONE) else { return Ok(()) };
        let again = match form {
            "plain" => ctf::write(&opened.token, Form::Plain, &Unlock::NONE).unwrap(),
            "v3" => {
                ctf::write_v3(&opened.token, Link::SecurId, &Unlock::NONE, &mut Counter(2)).unwrap()
            }
            _ => sdtid::write(&opened.token, &Default::default(), &mut Counter(2)).unwrap(),
        };
        let reread = read_text(&again, &Unlock::NONE).unwrap();
        prop_assert_eq!(all(&reread.token), all(&opened.token));
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in vec(any::<u8>(), 0..2000), start in "(<\\?xml |ctfData=[A-B1-2]?|)") {
        let content = [start.as_bytes(), &octets].concat();
        let _ = read_file(&content, &Unlock::NONE);
        let text = String::from_utf8_lossy(&content);
        let _ = read_text(&text, &Unlock::NONE);
        let _ = StokenRc::parse(&text);
        let _ = sdtid::read_template(&text);
    }
}

#[test]
fn many_tokens_in_a_document() {
    let token = |serial| {
        let expiry = ExpiryDay::from_days(9000).unwrap();
        let seed = Seed::new([serial; 16]);
        Token::new(
            Serial::new(&serial.to_string()).unwrap(),
            seed,
            Flags::from_bits(0x43D1),
            expiry,
        )
    };
    let write =
        |serial| sdtid::write(&token(serial), &Default::default(), &mut Counter(1)).unwrap();
    let (first, second) = (write(1), write(2));
    let tkn = |text: &str| {
        let (from, to) = (text.find("  <TKN>").unwrap(), text.find("  <TKNTrailer>").unwrap());
        text[from..to].to_owned()
    };
    let damaged = tkn(&first).replace("<UserLogin> ", "<UserLogin>x");
    let batch = first.replace(&tkn(&first), &(tkn(&first) + &damaged + &tkn(&second)));
    let error = read_file(batch.as_bytes(), &Unlock::NONE).unwrap_err();
    assert_eq!(error, ctkip_token::Error::Multiple { count: 3 });
    let tokens = read_batch(batch.as_bytes(), &Unlock::NONE).unwrap();
    let seeds: Vec<_> = tokens
        .into_iter()
        .map(|opened| opened.map(|opened| opened.token.seed.expose()[0]))
        .collect();
    assert_eq!(seeds, [Ok(1), Err(ctkip_token::Error::TokenMac), Ok(2)]);
}
