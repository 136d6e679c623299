//! Misbehaviour on demand, to see what a client makes of it.

mod table;
mod way;

pub(super) use way::on_the_way;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine};
use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::message::Message;
use ctkip_core::service::{Event, Handled, ServiceRequest};
use ctkip_core::wire::{WireRequest, WireResponse, soap};
use ctkip_core::{Profile, xml};
use ctkip_transport_loopback::ManInTheMiddle;
use getrandom::SysRng;
use serde_json::{Value, json};

use self::way::Way;
use crate::error::Failure;
use crate::output::{self, Output};

/// A way to misbehave. Answers that refuse a client are left as they are.
struct Fault {
    name: &'static str,
    /// What it does to a good answer.
    does: &'static str,
    /// What a good client makes of it.
    client: &'static str,
    answer: Which,
    deed: Deed,
}

/// Which of the two answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    First,
    Second,
    Both,
}

enum Deed {
    /// Changes the message.
    Message(fn(&mut Message)),
    /// Changes the response that carries it.
    Response(fn(&mut WireResponse)),
    /// Refuses the code, good as it is.
    Refuse,
    /// Sits in the middle, with a key of its own.
    Man { makes_mac: bool },
    /// Something befalls the response on its way.
    OnTheWay(Way),
}

/// The faults asked for, each with the number of answers it is still to spoil.
#[derive(Clone)]
pub(super) struct Misbehaviour(Arc<Vec<(&'static Fault, AtomicU32)>>);

/// The same in one dialect.
pub(super) struct Misbehaving {
    faults: Misbehaviour,
    profile: Profile,
    man: Option<Mutex<ManInTheMiddle<SysRng>>>,
}

/// Lists the faults.
pub(super) fn help(output: Output) -> Result<(), Failure> {
    let faults = table::FAULTS.iter();
    if output.json {
        let fault = |fault: &Fault| json!({ "name": fault.name, "does": fault.does, "client": fault.client });
        return output.json(&Value::Array(faults.map(fault).collect()));
    }
    let row = |fault: &Fault| format!("{}; a good client {}", fault.does, fault.client);
    let rows: Vec<_> = faults.map(|fault| (fault.name, row(fault))).collect();
    output.result(&output::table(&rows))
}

impl Misbehaviour {
    /// The faults of these names, each with `:N` if it is to come N times only.
    pub(super) fn named(names: &[String]) -> Result<Self, Failure> {
        let fault = |given: &String| {
            let (name, times) = given.split_once(':').unwrap_or((given, ""));
            let times = if times.is_empty() { Ok(u32::MAX) } else { times.parse() };
            let known = table::FAULTS.iter().find(|fault| fault.name == name);
            known.zip(times.ok()).map(|(fault, times)| (fault, times.into())).ok_or_else(|| {
                let what = format!("{given:?} is no way to misbehave");
                Failure::usage(what, "See `ctkip serve --misbehave help`.")
            })
        };
        Ok(Self(Arc::new(names.iter().map(fault).collect::<Result<_, _>>()?)))
    }

    /// Ready for one dialect. A man in the middle needs an RSA key, of so many bits.
    pub(super) fn with(self, profile: Profile, bits: usize) -> Result<Misbehaving, Failure> {
        let makes_mac = self.0.iter().filter_map(|(fault, _)| match fault.deed {
            Deed::Man { makes_mac } => Some(makes_mac),
            _ => None,
        });
        let man = makes_mac.max().map(|makes_mac| {
            let key = RsaPrivateKey::generate(bits, &mut SysRng).map_err(|error| {
                Failure::usage(format!("no RSA key could be made: {error}"), "Try again.")
            })?;
            let man = ManInTheMiddle::new(profile.clone(), key, SysRng);
            Ok::<_, Failure>(Mutex::new(if makes_mac { man.recomputing_mac() } else { man }))
        });
        Ok(Misbehaving { faults: self, man: man.transpose()?, profile })
    }

    /// The faults that are to come in this answer.
    fn due(&self, answer: Which) -> Vec<&'static Fault> {
        let is_due = |(fault, left): &&(&'static Fault, AtomicU32)| {
            let spend = |left: u32| match left {
                u32::MAX => Some(u32::MAX),
                left => left.checked_sub(1),
            };
            [answer, Which::Both].contains(&fault.answer)
                && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_ok()
        };
        self.0.iter().filter(is_due).map(|(fault, _)| *fault).collect()
    }
}

type Honest<'h> = &'h dyn Fn(ServiceRequest<'_>) -> Handled;

impl Misbehaving {
    /// The answer to a request, spoilt as asked.
    pub(super) fn answer(&self, request: ServiceRequest<'_>, honest: Honest<'_>) -> Handled {
        let due = match self.faults.0.is_empty() {
            true => Vec::new(),
            false => self.faults.due(which(request.body)),
        };
        if due.is_empty() {
            return honest(request);
        }
        let asks = |wanted: fn(&Deed) -> bool| due.iter().any(|fault| wanted(&fault.deed));
        let mut handled = if asks(|deed| matches!(deed, Deed::Refuse)) {
            let without_code = Vec::from_iter(
                request
                    .headers
                    .iter()
                    .filter(|(name, _)| !name.eq_ignore_ascii_case("authorization"))
                    .cloned(),
            );
            honest(ServiceRequest { headers: &without_code, ..request })
        } else if asks(|deed| matches!(deed, Deed::Man { .. })) {
            self.through_man(request, honest)
        } else {
            honest(request)
        };
        if matches!(handled.event, Event::Opened(_) | Event::Committed(_) | Event::Repeated(_)) {
            // First the message, then what stands around it, which may hide it.
            let (messages, others): (Vec<&Fault>, Vec<&Fault>) =
                due.iter().partition(|fault| matches!(fault.deed, Deed::Message(_)));
            for fault in messages.into_iter().chain(others) {
                self.spoil(&mut handled.response, &fault.deed);
            }
        }
        handled
    }

    fn spoil(&self, response: &mut WireResponse, deed: &Deed) {
        match deed {
            Deed::Message(change) => self.rewrite(&mut response.body, *change),
            Deed::Response(change) => change(response),
            Deed::OnTheWay(way) => way.mark(response),
            Deed::Refuse | Deed::Man { .. } => {}
        }
    }

    fn through_man(&self, request: ServiceRequest<'_>, honest: Honest<'_>) -> Handled {
        let Some(man) = &self.man else { return honest(request) };
        let copy = WireRequest { headers: request.headers.clone(), body: request.body.to_vec() };
        let mut event = Event::Unavailable;
        let mut onward = |sent: &WireRequest| {
            let WireRequest { headers, body } = sent;
            let handled = honest(ServiceRequest { headers, body, ..request });
            event = handled.event;
            handled.response
        };
        // After a panic elsewhere he may know less, which does not matter.
        let mut man = man.lock().unwrap_or_else(PoisonError::into_inner);
        let response = man.carry(&copy, &mut onward);
        Handled { response, event }
    }

    /// Changes the message in a body, whatever stands around it.
    fn rewrite(&self, body: &mut Vec<u8>, change: fn(&mut Message)) {
        let in_envelope = soap::message(body).ok();
        let pdu = in_envelope.as_ref().unwrap_or(body);
        let Ok(mut read) = xml::read(pdu, &self.profile) else { return };
        change(&mut read.message);
        let new = xml::write(&read.message, &self.profile);
        *body = match &in_envelope {
            Some(old) => String::from_utf8_lossy(body)
                .replace(&BASE64_STANDARD.encode(old), &BASE64_STANDARD.encode(new))
                .into_bytes(),
            None => new.into_bytes(),
        };
    }
}

/// Which answer a request asks for.
fn which(body: &[u8]) -> Which {
    let pdu = soap::message(body).unwrap_or_else(|_| body.to_vec());
    let name: &[u8] = b"ClientNonce";
    if pdu.windows(name.len()).any(|part| part == name) { Which::Second } else { Which::First }
}
