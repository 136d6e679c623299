//! A whole CT-KIP run, state by state: no transport, no XML, no server around it.
//!
//! ```sh
//! cargo run -p ctkip-examples --bin in_memory
//! ```
#![forbid(unsafe_code)]

use ctkip_core::crypto::{NonceKey, RsaPrivateKey};
use ctkip_core::message::TokenRecord;
use ctkip_core::{
    Client, ClientConfig, Credentials, Layout, Profile, Server, ServerConfig, SessionId,
};
use getrandom::SysRng;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut rng = SysRng;
    let key = RsaPrivateKey::generate(2048, &mut rng)?;
    let server = Server::new(ServerConfig::new(Profile::RFC4758, key.public().clone()));
    let client = Client::new(ClientConfig::new(Profile::RFC4758));

    // Client: say what it can do.
    let hello = client.start(&mut rng)?;

    // Server: choose, make R_S, and keep `pending` under the session it names.
    let offer = server.hello(&hello.message, Credentials::default(), &mut rng);
    let (pending, unnamed) = offer.map_err(|rejection| rejection.error)?.into_parts();
    let session = SessionId::random(Layout::Schema, &mut rng)?;
    let server_hello = unnamed.into_hello(session);

    // Client: make R_C, and encrypt it under the server's key.
    let nonce = hello.state.receive(server_hello, &mut rng)?;

    // Server: decrypt R_C, derive K_TOKEN, store it, and only then confirm.
    let opening = server.nonce(pending, nonce.message).map_err(|rejection| rejection.error)?;
    let r_c = key.decrypt(opening.scheme(), opening.server_nonce(), opening.ciphertext(), &mut rng);
    let derived = opening.complete(r_c).map_err(|rejection| rejection.error)?;
    let stored_key = derived.key().expose().to_vec();
    let record =
        TokenRecord { token_id: b"0001".into(), key_id: b"0001".into(), ..Default::default() };
    let server_finished = derived.finish(record);

    // Client: check the MAC. There is no key before.
    let token = nonce.state.receive(server_finished)?;
    assert!(token.key().matches(&stored_key));
    println!("both sides have the same key of {} octets, which never travelled", stored_key.len());
    Ok(())
}
