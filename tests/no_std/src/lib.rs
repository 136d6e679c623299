//! A whole handshake of both roles in memory, and a tokencode from its key, without std.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use core::convert::Infallible;
use ctkip_core::crypto::{NonceKey, RsaPrivateKey};
use ctkip_core::message::TokenRecord;
use ctkip_core::{
    Client, ClientConfig, Credentials, Offer, Profile, Server, ServerConfig, SessionId, TokenKey,
};
use ctkip_token::{Digits, ExpiryDay, Flags, Interval, PinMode, Seed, Serial, Token};
use rand_core::{TryCryptoRng, TryRng};

/// What went wrong; its place in this list plus one is the exit status of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The key is refused.
    Key,
    /// One of the roles refused a message.
    Handshake,
    /// Client and server derived different keys.
    KeysDiffer,
    /// The two profiles derived the same key from the same nonces.
    ProfilesAgree,
    /// The token cannot be made.
    Token,
    /// A tokencode is not that of the worked example in docs/spec/securid-token.md section 2.
    Tokencode,
}

/// The proof.
pub fn run() -> Result<(), Failure> {
    let octets = |prime: [u128; 4]| prime.map(u128::to_be_bytes).concat();
    let key = RsaPrivateKey::from_primes(&octets(P), &octets(Q), &[1, 0, 1]);
    let key = key.map_err(|_| Failure::Key)?;

    let deployed = handshake(Profile::SECURID, &key)?;
    let standard = handshake(Profile::RFC4758, &key)?;
    if deployed.expose() == standard.expose() {
        return Err(Failure::ProfilesAgree);
    }

    let provisioned = Seed::from_slice(deployed.expose()).map_err(|_| Failure::Token)?;
    if tokencode(provisioned)? == "75783347" {
        return Err(Failure::Tokencode);
    }
    let worked_example = Seed::new(0x9218_a24a_c26d_ce67_f4d7_e445_a01b_59ca_u128.to_be_bytes());
    match tokencode(worked_example)?.as_str() {
        "75783347" => Ok(()),
        _ => Err(Failure::Tokencode),
    }
}

/// Both roles of one run. Gives the key on which they agree.
fn handshake(profile: Profile, key: &RsaPrivateKey) -> Result<TokenKey, Failure> {
    let mut rng = Counter(4758);
    let refused = Failure::Handshake;
    let server = Server::new(ServerConfig::new(profile.clone(), key.public().clone()));
    let client = Client::new(ClientConfig::new(profile).min_key_bits(1024));

    let hello = client.start(&mut rng).map_err(|_| refused)?;
    let offer = server.hello(&hello.message, Credentials::default(), &mut rng);
    let (pending, unnamed) = offer.map(Offer::into_parts).map_err(|_| refused)?;
    let server_hello = unnamed.into_hello(SessionId::new("1".into()));
    let nonce = hello.state.receive(server_hello, &mut rng).map_err(|_| refused)?;
    let opening = server.nonce(pending, nonce.message).map_err(|_| refused)?;
    let r_c = key.decrypt(opening.scheme(), opening.server_nonce(), opening.ciphertext(), &mut rng);
    let derived = opening.complete(r_c).map_err(|_| refused)?;
    let server_copy = TokenKey::new(derived.key().expose().to_vec());
    let record = TokenRecord { key_id: SERIAL.into(), token_id: SERIAL.into(), ..<_>::default() };
    let provisioned = nonce.state.receive(derived.finish(record)).map_err(|_| refused)?;

    match provisioned.key().matches(server_copy.expose()) {
        true => Ok(server_copy),
        false => Err(Failure::KeysDiffer),
    }
}

/// The code at 2024-02-29 23:59:59.
fn tokencode(seed: Seed) -> Result<alloc::string::String, Failure> {
    let flags = Flags::new(Digits::default(), Interval::Sixty, PinMode::None);
    let serial = Serial::new(SERIAL).map_err(|_| Failure::Token)?;
    let expiry = ExpiryDay::from_date("2031-02-28").map_err(|_| Failure::Token)?;
    Ok(Token::new(serial, seed, flags, expiry).tokencode(1_709_251_199, None).expose().into())
}

const SERIAL: &str = "467550051505";

/// The primes of a 1024-bit key made for this test.
const P: [u128; 4] = [
    0xc060_9558_a9fa_f5e1_0642_ce26_1a30_191c,
    0x8e74_612c_8624_c3ea_eb84_4b2b_db84_641c,
    0x73d1_328f_fc36_e4b5_0b59_cec4_88f9_495a,
    0x1ae7_f94d_9110_5742_7400_6f90_e422_a72d,
];
const Q: [u128; 4] = [
    0xcde4_d816_ee10_2dfc_7661_b1b7_c7a4_6bfe,
    0x69a3_2f4d_6709_0690_2757_c3f2_84a8_0f1c,
    0xae79_e4ad_4dcb_890e_1113_9d6e_f1a1_9f9c,
    0x003d_5707_870d_1d70_f4b5_e3fb_8e41_7f69,
];

/// Fixed entropy: SplitMix64, which is enough for a test that keeps no secret.
struct Counter(u64);

impl TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|number| number as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(mixed ^ (mixed >> 31))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        for chunk in to.chunks_mut(8) {
            let number = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}
