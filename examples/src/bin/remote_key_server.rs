//! A server whose RSA key is somewhere else: in an HSM, in another process, here in another thread.
//!
//! Between [`Server::nonce`] and [`Opening::complete`](ctkip_core::Opening::complete) the server holds
//! a value and does not wait. It may have many of them, and finish each when its answer comes.
//!
//! ```sh
//! cargo run -p ctkip-examples --bin remote_key_server
//! ```
#![forbid(unsafe_code)]

use ctkip_core::crypto::{DecryptFailed, NonceKey, RsaPrivateKey, RsaPublicKey, Scheme};
use ctkip_core::message::{ClientHello, ClientNonce, ServerFinished, ServerHello, TokenRecord};
use ctkip_core::{
    Client, ClientConfig, Credentials, Layout, Opening, Pending, Profile, SecretNonce, Server,
    ServerConfig, ServerError, SessionId,
};
use getrandom::SysRng;
use std::collections::HashMap;
use std::error::Error;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// What leaves the server: never the key, and no more than what the key is needed for.
struct Job {
    scheme: Scheme,
    ciphertext: Vec<u8>,
    answer: Sender<Result<SecretNonce, DecryptFailed>>,
}

/// Stands for the HSM. All that comes out of it at first is the public key.
fn start_key_thread() -> Result<(RsaPublicKey, Sender<Job>), Box<dyn Error>> {
    let key = RsaPrivateKey::generate(2048, &mut SysRng)?;
    let public = key.public().clone();
    let (jobs, inbox) = channel::<Job>();
    thread::spawn(move || {
        for Job { scheme, ciphertext, answer } in inbox {
            // Whoever asked may be gone by now.
            let _ = answer.send(key.decrypt(scheme, &[], &ciphertext, &mut SysRng));
        }
    });
    Ok((public, jobs))
}

struct RemoteKeyServer {
    server: Server,
    jobs: Sender<Job>,
    sessions: HashMap<SessionId, Pending>,
}

/// A run whose R_C is being decrypted elsewhere.
struct Waiting {
    opening: Opening,
    r_c: Receiver<Result<SecretNonce, DecryptFailed>>,
}

impl RemoteKeyServer {
    fn hello(&mut self, hello: &ClientHello) -> Result<ServerHello, Box<dyn Error>> {
        let offer = self.server.hello(hello, Credentials::default(), &mut SysRng);
        let (pending, unnamed) = offer.map_err(|rejection| rejection.error)?.into_parts();
        let id = SessionId::random(Layout::Schema, &mut SysRng)?;
        self.sessions.insert(id.clone(), pending);
        Ok(unnamed.into_hello(id))
    }

    /// Sends the ciphertext away, and returns at once.
    fn nonce(&mut self, nonce: ClientNonce) -> Result<Waiting, Box<dyn Error>> {
        let pending = self.sessions.remove(&nonce.session_id).ok_or(ServerError::UnknownSession)?;
        let opening = self.server.nonce(pending, nonce).map_err(|rejection| rejection.error)?;
        let (answer, r_c) = channel();
        let (scheme, ciphertext) = (opening.scheme(), opening.ciphertext().to_vec());
        self.jobs.send(Job { scheme, ciphertext, answer })?;
        Ok(Waiting { opening, r_c })
    }
}

/// Goes on when R_C is there. A real server stores the key before it makes the answer.
fn finish(waiting: Waiting, serial: &str) -> Result<ServerFinished, Box<dyn Error>> {
    let r_c = waiting.r_c.recv()?;
    let derived = waiting.opening.complete(r_c).map_err(|rejection| rejection.error)?;
    let (token_id, key_id) = (serial.into(), serial.into());
    Ok(derived.finish(TokenRecord { token_id, key_id, ..TokenRecord::default() }))
}

fn main() -> Result<(), Box<dyn Error>> {
    let (public, jobs) = start_key_thread()?;
    let server = Server::new(ServerConfig::new(Profile::RFC4758, public));
    let mut server = RemoteKeyServer { server, jobs, sessions: HashMap::new() };

    // Two clients at once, neither of which waits for the other.
    let mut begin = || -> Result<_, Box<dyn Error>> {
        let hello = Client::new(ClientConfig::new(Profile::RFC4758)).start(&mut SysRng)?;
        let nonce = hello.state.receive(server.hello(&hello.message)?, &mut SysRng)?;
        Ok((nonce.state, server.nonce(nonce.message)?))
    };
    let (first, first_waits) = begin()?;
    let (second, second_waits) = begin()?;
    let second = second.receive(finish(second_waits, "0002")?)?;
    let first = first.receive(finish(first_waits, "0001")?)?;
    for token in [first, second] {
        println!("token {} is confirmed", String::from_utf8_lossy(&token.record().key_id));
    }
    Ok(())
}
