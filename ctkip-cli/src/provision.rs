//! `ctkip provision`: from a link and a code to a token on disk.

mod connect;
mod from;
mod interrupt;
mod report;
mod trigger;

use std::io;
use std::path::{Path, PathBuf};

use ctkip_core::wire::{Binding, Step, soap::Soap};
use ctkip_core::{ActivationCode, Client, ClientConfig, NewToken, Profile};
use ctkip_token::{Digits, ExpiryDay, FromCtkip, Interval, Seed, Token};
use ctkip_transport::{AsyncTransport, Observed, Run, RunError};
use getrandom::SysRng;
use tokio::runtime::{Builder, Runtime};

use crate::args::{Form, ProfileName, ProvisionArgs};
use crate::code::Sources;
use crate::error::{Failure, Status};
use crate::input::Locking;
use crate::output::Output;
use crate::save::{self, Reservation, Saved};
use crate::{qr, tokencode};
use from::From;
use interrupt::{Interrupts, Stage};

/// How long a token is taken to last whose server does not say: ten years, in days.
const TEN_YEARS: u32 = 3652;

pub(crate) fn run(args: &ProvisionArgs, output: Output) -> Result<(), Failure> {
    let from = From::read(&args.from)?;
    from.check_scheme(args.connection.allow_http)?;
    let config = config(args)?;
    let locking = Locking::try_from(&args.lock)?;
    args.to.check(&locking)?;
    rehearse(args.to, &locking)?;
    let code = code(args, &from)?;
    let binding = binding(args.profile, &code)?;
    if args.connection.insecure {
        output
            .warn("the server's certificate is not checked: anyone in between can take the token");
    }
    if let Some(output) = &args.output {
        save::check_target(output, args.force)?;
    }
    let runtime = runtime()?;
    let run = Exchange { config, binding, output };
    let got = runtime.block_on(run.with(args, &from, &code));
    // A name that is still being looked up holds nobody.
    runtime.shutdown_background();
    let (new, room) = got?;
    output.step("The server's MAC is good: there is a token");

    let (token, saved) = save(args, &locking, &new, room);
    report::run(args, &new, token.as_ref(), &saved, output)
}

fn config(args: &ProvisionArgs) -> Result<ClientConfig, Failure> {
    let mut config = ClientConfig::new(args.profile.profile());
    if let Some(bits) = args.min_key_bits {
        config = config.min_key_bits(bits);
    }
    for pin in &args.pin_key {
        config = config.pin_server_key(fingerprint(pin)?);
    }
    if let Some(path) = &args.trigger {
        config = config.trigger(trigger::read(path, args.profile)?);
    }
    Ok(config)
}

impl ProfileName {
    const fn profile(self) -> Profile {
        match self {
            Self::Securid => Profile::SECURID,
            Self::Rfc4758 => Profile::RFC4758,
        }
    }
}

/// Reads `sha256:` and 64 hexadecimal digits, with or without colons between them.
fn fingerprint(text: &str) -> Result<[u8; 32], Failure> {
    let wrong = || {
        Failure::usage(
            format!("{text:?} is no pin"),
            "A pin is sha256: and 64 hexadecimal digits, as the administrator gives it, or as \
             `openssl pkey -pubin -outform DER | sha256sum` makes it of the server's public key.",
        )
    };
    let (name, digits) = text.split_once(':').ok_or_else(wrong)?;
    let digits: Option<Vec<u8>> = digits
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() == 64 && name.eq_ignore_ascii_case("sha256"));
    let digits = digits.ok_or_else(wrong)?;
    let mut octets = [0; 32];
    for (octet, pair) in octets.iter_mut().zip(digits.as_chunks::<2>().0) {
        *octet = pair[0] << 4 | pair[1];
    }
    Ok(octets)
}

/// Finds out before anything is sent whether a token can be written as asked.
fn rehearse(form: Form, locking: &Locking) -> Result<(), Failure> {
    if locking.template.is_some() {
        let serial = ctkip_token::Serial::new("0")?;
        let expiry = ExpiryDay::from_unix(tokencode::now())?;
        let flags = ctkip_token::Flags::new(
            Digits::default(),
            Interval::default(),
            ctkip_token::PinMode::Add,
        );
        form.write(&Token::new(serial, Seed::random(&mut SysRng)?, flags, expiry), locking)?;
    }
    Ok(())
}

/// The activation code; a server in memory and plain HTTP ask for none.
fn code(args: &ProvisionArgs, from: &From) -> Result<Option<ActivationCode>, Failure> {
    let link = from.link_code();
    let file = args.code_file.as_deref();
    let sources = Sources { argument: args.code.as_deref(), file, link };
    match args.profile {
        ProfileName::Rfc4758 if args.code.is_some() || file.is_some() => Err(Failure::usage(
            "RFC 4758 over plain HTTP carries no activation code",
            "Leave the code out, or use --profile securid.",
        )),
        ProfileName::Rfc4758 => Ok(None),
        ProfileName::Securid if matches!(from, From::Loopback) => {
            let invented = || ActivationCode::new(b"000000000000".to_vec());
            Ok(Some(sources.given()?.unwrap_or_else(invented)))
        }
        ProfileName::Securid => sources.given_or_asked().map(Some),
    }
}

fn binding(profile: ProfileName, code: &Option<ActivationCode>) -> Result<Binding, Failure> {
    let (ProfileName::Securid, Some(code)) = (profile, code) else { return Ok(Binding::Plain) };
    let soap = Soap::new(ActivationCode::new(code.expose().to_vec())).map_err(|error| {
        Failure::usage(error.to_string(), "Check the code; it usually has 12 digits.")
    })?;
    Ok(Binding::Soap(soap))
}

/// A run that tells its steps.
struct Exchange {
    config: ClientConfig,
    binding: Binding,
    output: Output,
}

impl Exchange {
    /// Takes room for a token, and gets one; an interrupt gives the room back.
    async fn with(
        self,
        args: &ProvisionArgs,
        from: &From,
        code: &Option<ActivationCode>,
    ) -> Result<(NewToken, Reservation), Failure> {
        let mut transport = connect::transport(from, args, code).await?;
        let interrupts = Interrupts::awaited().map_err(|error| no_runtime(&error))?;
        let room = Reservation::make(args.output.as_deref(), args.force)?;
        self.output.step(&format!("Asking {from} for a token"));
        let stage = Stage::default();
        tokio::select! {
            // An answer that is there counts more than an interrupt.
            biased;
            new = self.over(&mut *transport, &stage) => match new {
                Ok(new) => Ok((new, room)),
                Err(error) => Err(redacted(error.into(), code)),
            },
            () = interrupts.come() => Err(stage.interrupted()),
        }
    }

    async fn over(
        self,
        transport: &mut dyn AsyncTransport,
        stage: &Stage,
    ) -> Result<NewToken, RunError> {
        let output = self.output;
        let mut observer = move |observed: Observed| match observed {
            Observed::Sending { step, octets, before } => {
                stage.sending(step);
                if before > 0 {
                    output.step("No answer; sending the same request again");
                }
                output.detail(&format!("{} sent: {octets} octets", sent(step)));
            }
            Observed::Received { step, status, octets } => {
                output
                    .detail(&format!("{} received: HTTP {status}, {octets} octets", answer(step)));
            }
            _ => {}
        };
        Run::new(Client::new(self.config), self.binding)
            .observer(&mut observer)
            .over_async(transport, &mut SysRng)
            .await
    }
}

fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().map_err(|error| no_runtime(&error))
}

fn no_runtime(error: &io::Error) -> Failure {
    Failure::new(
        Status::Usage,
        "system",
        format!("the system gives no means to wait for an answer: {error}"),
        "Nothing was sent. Close other programs, and try again.",
    )
}

const fn sent(step: Step) -> &'static str {
    match step {
        Step::Hello => "ClientHello",
        Step::Nonce => "ClientNonce",
    }
}

const fn answer(step: Step) -> &'static str {
    match step {
        Step::Hello => "Answer to ClientHello",
        Step::Nonce => "Answer to ClientNonce",
    }
}

/// What a server says may repeat the code. A shorter one hides nothing, and much by chance.
fn redacted(failure: Failure, code: &Option<ActivationCode>) -> Failure {
    match code.as_ref().and_then(ActivationCode::text).filter(|code| code.len() >= 4) {
        Some(code) => Failure {
            what: failure.what.replace(code, "(code)"),
            detail: failure.detail.map(|detail| detail.replace(code, "(code)")),
            ..failure
        },
        None => failure,
    }
}

/// The token in the terms of `ctkip-token`.
fn token(new: &NewToken) -> Result<Token, ctkip_token::Error> {
    let (settings, pin) = (new.settings(), new.pin());
    Ok(Token::from_ctkip(FromCtkip {
        k_token: Seed::from_slice(new.key().expose())?,
        serial: settings.serial.parse()?,
        expiry: expiry(new).unwrap_or_else(default_expiry),
        issuer: &settings.issuer,
        user: &settings.user,
        digits: Digits::new(settings.digits).unwrap_or_default(),
        interval: Interval::new(settings.interval.into()).unwrap_or_default(),
        add_pin: pin.add_pin,
        pin_type: pin.pin_type,
    }))
}

/// The last day, if the server names one that a file can hold.
fn expiry(new: &NewToken) -> Option<ExpiryDay> {
    let date = new.settings().expiry?.to_string();
    ExpiryDay::from_date(&date).ok().filter(|date| date.days() > 0)
}

/// The last day otherwise.
fn default_expiry() -> ExpiryDay {
    let today = ExpiryDay::from_unix(tokencode::now()).unwrap_or(ExpiryDay::MAX);
    today.plus_days(TEN_YEARS)
}

/// Saves what the server committed: as asked if that can be, and otherwise in the form that always
/// can.
fn save(
    args: &ProvisionArgs,
    locking: &Locking,
    new: &NewToken,
    room: Reservation,
) -> (Option<Token>, Saved) {
    let token = match token(new) {
        Ok(token) => token,
        Err(error) => {
            let why = format!("what the server gave out is no SecurID token: {error}");
            return (None, room.save_aside(report::raw(new).as_bytes(), why));
        }
    };
    let target = args.output.clone().unwrap_or_else(|| default_name(&token, args.to));
    let content = args.to.write(&token, locking).map_err(Failure::from);
    let saved = match content.and_then(|text| in_file(args.to, &text, &target)) {
        Ok(content) => room.save(&content, &target),
        Err(failure) => {
            let why = format!("it cannot be written as {}: {}", args.to.name(), failure.what);
            let plain = ctkip_token::json::write(&token, ctkip_token::json::WithSeed::Yes);
            room.save_aside(plain.as_bytes(), why)
        }
    };
    (Some(token), saved)
}

fn default_name(token: &Token, form: Form) -> PathBuf {
    PathBuf::from(format!("{}.{}", token.serial, form.extension()))
}

/// A form's text as a file holds it: that of a QR code is a picture.
fn in_file(form: Form, text: &str, target: &Path) -> Result<Vec<u8>, Failure> {
    match form {
        Form::Qr => qr::for_file(&qr::encode(text.trim_end())?, target),
        _ => Ok(text.as_bytes().to_vec()),
    }
}

/// How a committed token that is not where it was asked for ends the program.
fn not_saved(saved: &Saved) -> Option<Failure> {
    let (what, next) = match saved {
        Saved::There(_) => return None,
        Saved::Elsewhere { path, why } => (
            format!("the token is in {}, not where it was asked for: {why}", path.display()),
            "Move that file where you want it; it holds the token's secret.",
        ),
        Saved::Shown { why } => (
            format!("the token could not be saved: {why}"),
            "Copy what is shown above into a file; it is nowhere else.",
        ),
        Saved::Lost { why } => (
            format!("the token is lost, since it could be saved nowhere: {why}"),
            "The code is spent. Ask the administrator for a new one.",
        ),
    };
    Some(Failure::new(Status::NotSaved, "not-saved", what, next))
}
