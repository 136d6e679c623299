//! Clients of a farm: they know which request is which, and send the last one again as it is.

use crate::serving::{Connection, post};
use ctkip_core::wire::{Binding, WireRequest, WireResponse, soap, soap::Soap};
use ctkip_core::{
    ActivationCode, Client, ClientConfig, ClientError, Exchange, NewToken, Profile, Progress,
};
use getrandom::SysRng;
use std::collections::VecDeque;
use std::io;
use std::iter::repeat_n;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for an answer before it counts as lost.
const ANSWER: Duration = Duration::from_secs(20);

/// A session that is open: `ClientNonce` is made, and can be sent as often as one likes.
#[derive(Debug)]
pub struct Opened {
    exchange: Exchange,
    nonce: WireRequest,
}

/// A code with a client that holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// The serial number of the enrolment.
    pub serial: String,
    /// Its code.
    pub code: String,
}

/// A token as a client has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The serial number, as the server told it.
    pub serial: String,
    /// K_TOKEN.
    pub key: Vec<u8>,
}

/// How a client's attempts ended.
#[derive(Debug)]
pub enum End {
    /// With a token.
    Token(Held),
    /// Refused at `ClientHello`.
    NotOpened(ClientError),
    /// Refused at `ClientNonce`.
    NotFinished(ClientError),
    /// It gave up: what became of it is not known.
    Unknown,
}

/// What is counted of a client's attempts.
#[derive(Debug, Default, Clone, Copy)]
pub struct Effort {
    /// `ClientHello`s that got no answer, or a 503.
    pub hellos_lost: u64,
    /// `ClientNonce`s that were sent again, once or more.
    pub resent: u64,
}

/// Sends a request, and waits for its answer.
///
/// # Errors
/// When none comes.
pub fn ask(connection: &mut Connection, request: &WireRequest) -> io::Result<WireResponse> {
    connection.send(&octets(request));
    connection.answer()
}

/// The same, on a connection of its own.
///
/// # Errors
/// When there is no answer.
pub fn ask_at(host: &str, request: &WireRequest) -> io::Result<WireResponse> {
    ask(&mut Connection::open(host, ANSWER)?, request)
}

fn octets(request: &WireRequest) -> Vec<u8> {
    let headers: Vec<(&str, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (&**name, String::from_utf8_lossy(value).into_owned()))
        .collect();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    post(soap::PATHS[1], &headers, &request.body)
}

/// Whether an answer says no more than that there is none yet.
fn is_lost(response: &WireResponse) -> bool {
    matches!(response.status, 502..=504)
}

/// The first request of a client that has this code.
///
/// # Panics
/// When a code cannot travel, or there is no randomness.
pub fn begin(code: &str) -> (Exchange, WireRequest) {
    let soap = Soap::new(ActivationCode::new(code.into())).expect("digits can travel");
    let client = Client::new(ClientConfig::new(Profile::SECURID));
    Exchange::begin(client, Binding::Soap(soap), &mut SysRng).expect("there is randomness")
}

impl Opened {
    /// Takes the answer to the first request.
    ///
    /// # Errors
    /// The refusal.
    pub fn receive(exchange: Exchange, response: &WireResponse) -> Result<Self, ClientError> {
        match exchange.receive(response, &mut SysRng)? {
            Progress::Send(exchange, nonce) => Ok(Self { exchange, nonce }),
            Progress::Done(_) => unreachable!("a token takes two requests"),
        }
    }

    /// Opens a session.
    ///
    /// # Panics
    /// When the server refuses it, or does not answer.
    #[must_use]
    pub fn at(host: &str, code: &str) -> Self {
        let (exchange, hello) = begin(code);
        let response = ask_at(host, &hello).expect("an answer");
        Self::receive(exchange, &response).expect("a session")
    }

    /// `ClientNonce`.
    #[must_use]
    pub const fn nonce(&self) -> &WireRequest {
        &self.nonce
    }

    /// Takes the last answer.
    ///
    /// # Errors
    /// The refusal.
    pub fn finish(self, response: &WireResponse) -> Result<Held, ClientError> {
        match self.exchange.receive(response, &mut SysRng)? {
            Progress::Done(token) => Ok(Held::from(&*token)),
            Progress::Send(..) => unreachable!("a token takes two requests"),
        }
    }
}

impl From<&NewToken> for Held {
    fn from(token: &NewToken) -> Self {
        let serial = token.settings().serial.clone();
        Self { serial, key: token.key().expose().to_vec() }
    }
}

/// A client that does not give up: a session that is not opened is begun anew, since that spends
/// nothing; a `ClientNonce` without an answer is sent again as it is.
pub struct Steadfast<'h> {
    /// Where the server is now, as far as it is anywhere. Asked before each attempt.
    pub host: &'h (dyn Fn() -> Option<String> + Sync),
    /// When to give up after all.
    pub patience: Duration,
    /// Set when nobody wants to know any more.
    over: Option<&'h AtomicBool>,
    connection: Option<(String, Connection)>,
}

impl<'h> Steadfast<'h> {
    /// A client that has so much patience for each code.
    pub const fn new(host: &'h (dyn Fn() -> Option<String> + Sync), patience: Duration) -> Self {
        Self { host, patience, over: None, connection: None }
    }

    /// Provisions a token.
    pub fn provision(&mut self, code: &str, effort: &mut Effort) -> End {
        let deadline = Instant::now() + self.patience;
        let opened = loop {
            let (exchange, hello) = begin(code);
            if let Some(response) = self.ask(&hello) {
                match Opened::receive(exchange, &response) {
                    Ok(opened) => break opened,
                    Err(error) => return End::NotOpened(error),
                }
            }
            effort.hellos_lost += 1;
            if self.gives_up(deadline) {
                return End::Unknown;
            }
        };
        let mut resent = false;
        loop {
            if let Some(response) = self.ask(opened.nonce()) {
                effort.resent += u64::from(resent);
                return match opened.finish(&response) {
                    Ok(held) => End::Token(held),
                    Err(error) => End::NotFinished(error),
                };
            }
            if self.gives_up(deadline) {
                return End::Unknown;
            }
            resent = true;
        }
    }

    fn gives_up(&self, deadline: Instant) -> bool {
        Instant::now() > deadline || self.over.is_some_and(|over| over.load(Ordering::SeqCst))
    }

    /// One attempt, over the last connection if it is still the right one. Without an answer it
    /// takes a little longer, so that nobody is stormed.
    fn ask(&mut self, request: &WireRequest) -> Option<WireResponse> {
        let response = (self.host)().and_then(|host| {
            let mut connection = match self.connection.take() {
                Some((before, connection)) if before == host => connection,
                _ => Connection::open(&host, ANSWER).ok()?,
            };
            let response = ask(&mut connection, request).ok()?;
            let closes = response.headers.iter().any(|(name, value)| {
                name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case(b"close")
            });
            if !closes {
                self.connection = Some((host, connection));
            }
            Some(response).filter(|response| !is_lost(response))
        });
        if response.is_none() {
            thread::sleep(Duration::from_millis(3));
        }
        response
    }
}

/// Codes for clients that take the next one, and how each ended.
#[derive(Debug, Default)]
pub struct Pool {
    state: Mutex<State>,
    over: AtomicBool,
    abandoned: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Ticket>,
    under_way: usize,
    ended: Vec<(Ticket, End)>,
    effort: Effort,
}

impl Pool {
    /// Adds a code, for so many clients that do not know of each other.
    pub fn add(&self, ticket: &Ticket, clients: usize) {
        self.state().waiting.extend(repeat_n(ticket.clone(), clients));
    }

    /// How many clients wait to begin.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// How many clients have begun, and not ended.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.state().under_way
    }

    /// No more codes will come: whoever finds none ends.
    pub fn close(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// Whatever is under way is of no interest any more: all end at once.
    pub fn abandon(&self) {
        self.state().waiting.clear();
        self.abandoned.store(true, Ordering::SeqCst);
        self.close();
    }

    /// The tokens that clients hold so far.
    #[must_use]
    pub fn held(&self) -> Vec<Held> {
        let held = |(_, end): &(Ticket, End)| match end {
            End::Token(held) => Some(held.clone()),
            _ => None,
        };
        self.state().ended.iter().filter_map(held).collect()
    }

    fn next(&self) -> Option<Ticket> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        state.under_way += usize::from(next.is_some());
        next
    }

    /// Provisions one code after the other, until there are no more.
    pub fn work<'p>(&'p self, mut client: Steadfast<'p>) {
        client.over = Some(&self.abandoned);
        loop {
            let Some(ticket) = self.next() else {
                if self.over.load(Ordering::SeqCst) {
                    return;
                }
                thread::sleep(Duration::from_millis(1));
                continue;
            };
            let mut effort = Effort::default();
            let end = client.provision(&ticket.code, &mut effort);
            let mut state = self.state();
            state.under_way -= 1;
            state.effort.hellos_lost += effort.hellos_lost;
            state.effort.resent += effort.resent;
            state.ended.push((ticket, end));
        }
    }

    /// How all ended, and what it took.
    #[must_use]
    pub fn ended(self) -> (Vec<(Ticket, End)>, Effort) {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        (state.ended, state.effort)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
