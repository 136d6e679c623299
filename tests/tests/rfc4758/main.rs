//! RFC 4758 in scenarios: what no single message can show. `docs/conformance.md` says which test
//! shows which requirement.

mod agreement;
mod derivation;
mod encryption;
mod extensions;
mod hostile;
mod http;
mod identifiers;
mod replacement;
mod sessions;
mod states;
mod statuses;
mod trigger;
mod versions;

use ctkip_core::message::{
    ClientHello, Confirmation, Message, ServerFinished, ServerHello, ServerOffer,
};
use ctkip_core::service::Handled;
use ctkip_core::{Client, ClientConfig, ClientError, Profile, xml};
use ctkip_tests::pair::{Site, confirmed, opened, post, run_seen};
use getrandom::SysRng;

const NS: &str = "http://www.rsasecurity.com/rsalabs/otps/schemas/2005/12/ct-kip#";

/// What a client makes of an offer that was changed on its way.
fn offer_error(config: ClientConfig, change: impl FnOnce(&mut ServerOffer)) -> ClientError {
    let (client, mut offer, _) = opened(config);
    change(&mut offer);
    let end = client.receive(ServerHello::Continue(offer), &mut SysRng);
    end.expect_err("the client must not go on")
}

/// What a client makes of a confirmation that was changed on its way.
fn confirmation_error(config: ClientConfig, change: impl FnOnce(&mut Confirmation)) -> ClientError {
    let (client, mut confirmation) = confirmed(config);
    change(&mut confirmation);
    client.receive(ServerFinished::Success(confirmation)).expect_err("the client must not take it")
}

/// The first message of a client.
fn hello(config: ClientConfig) -> ClientHello {
    Client::new(config).start(&mut SysRng).expect("it can start").message
}

/// The requests and responses of a good run.
fn captured(config: ClientConfig, site: &Site) -> Vec<Message> {
    let mut seen = Vec::new();
    let read = |octets: &[u8]| xml::read(octets, &Profile::RFC4758).expect("a message").message;
    run_seen(config, site, |request, response| {
        seen.extend([read(&request.body), read(&response.body)]);
    })
    .expect("a good run");
    seen
}

/// Posts a `ClientHello` as text.
fn post_hello(site: &Site, attributes: &str, children: &str) -> Handled {
    let text =
        format!("<k:ClientHello xmlns:k='{NS}' {attributes}>{children}{LISTS}</k:ClientHello>");
    post(site, text.as_bytes())
}

/// The three lists of a client.
const LISTS: &str = "<SupportedKeyTypes><Algorithm>http://www.rsasecurity.com/rsalabs/otps/schemas/\
2005/09/otps-wst#SecurID-AES</Algorithm></SupportedKeyTypes><SupportedEncryptionAlgorithms>\
<Algorithm>http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p</Algorithm>\
</SupportedEncryptionAlgorithms><SupportedMACAlgorithms><Algorithm>\
http://www.rsasecurity.com/rsalabs/otps/schemas/2005/12/ct-kip#ct-kip-prf-aes</Algorithm>\
</SupportedMACAlgorithms>";
