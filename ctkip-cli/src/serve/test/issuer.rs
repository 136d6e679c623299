//! Who gets a token from a test server, and what it is told of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ctkip_core::message::ClientHello;
use ctkip_core::service::{Bearer, Commit, Denied, Granted, Issued, Issuer};
use ctkip_core::{ActivationCode, Grant, Timestamp};
use ctkip_transport_loopback::{Enrolment, random_serial};
use getrandom::SysRng;
use serde_json::json;
use zeroize::Zeroizing;

use crate::output::Output;

/// One more than the highest serial number.
const SERIALS: u64 = 1_000_000_000_000;

/// Gives a token to whoever has the code, or to everybody, and forgets it.
pub(super) struct TestIssuer {
    /// No code is asked for where none can be sent.
    pub(super) code: Option<ActivationCode>,
    pub(super) tokens: Arc<Tokens>,
}

/// The tokens of a server.
pub(super) struct Tokens {
    /// What is said of each, but for its serial number.
    pub(super) enrolment: Enrolment,
    /// The next serial number, unless they are random.
    pub(super) next: Option<AtomicU64>,
    /// Where serial numbers and seeds are written, if they are.
    pub(super) print: Option<Output>,
}

impl Issuer for TestIssuer {
    fn authorize(
        &self,
        bearer: Bearer<'_>,
        _hello: &ClientHello,
        now: Timestamp,
    ) -> Result<Granted, Denied> {
        self.recognise(bearer, &Grant::default(), now).map(|()| Granted::default())
    }

    fn recognise(&self, bearer: Bearer<'_>, _grant: &Grant, _now: Timestamp) -> Result<(), Denied> {
        let Some(own) = &self.code else { return Ok(()) };
        let same = bearer.code.is_some_and(|code| own.matches(code.expose()));
        if same { Ok(()) } else { Err(Denied::Refused) }
    }

    fn commit(&self, commit: &Commit<'_>, _now: Timestamp) -> Result<Issued, Denied> {
        let tokens = &self.tokens;
        let enrolment = Enrolment { serial: tokens.serial()?, ..tokens.enrolment.clone() };
        if let Some(output) = tokens.print {
            print(output, &enrolment.serial, commit.key.expose());
        }
        tracing::info!(serial = enrolment.serial, "token committed");
        Ok(Issued { record: enrolment.record(), pin: enrolment.pin, repeated: false })
    }
}

impl Tokens {
    fn serial(&self) -> Result<String, Denied> {
        match &self.next {
            Some(next) => Ok(format!("{:012}", next.fetch_add(1, Ordering::Relaxed) % SERIALS)),
            None => random_serial(&mut SysRng).map_err(|_| Denied::Unavailable),
        }
    }
}

/// Whoever reads standard output may have gone; the token is good all the same.
fn print(output: Output, serial: &str, seed: &[u8]) {
    let mut hex = Zeroizing::new(String::with_capacity(2 * seed.len()));
    for octet in seed {
        hex.push_str(&format!("{octet:02x}"));
    }
    let line = match output.json {
        true => format!("{}\n", json!({ "serial": serial, "seed": *hex })),
        false => format!("{serial} {}\n", *hex),
    };
    let _ = output.result(&Zeroizing::new(line));
}
