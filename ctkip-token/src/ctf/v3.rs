//! Tokens of version 3 and 4 (docs/spec/securid-token.md section 4). Version 4 is only read.

use alloc::{string::String, vec::Vec};

use aes::{
    Aes256,
    cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{device_ids, no_device_fits};
use crate::{
    Device, Digits, Error, ExpiryDay, Flags, Format, Interval, Opened, PinMode, Seed, Serial,
    Token, Unlock, block::pad0,
};

/// The length of the envelope's base64.
const TEXT: usize = 388;
/// That much may follow percent-decoding: a line end, for instance.
const MAX_TEXT: usize = 390;
const PAYLOAD: usize = 176;
const ITERATIONS: u32 = 1000;
/// 256-millisecond ticks in a day.
const TICKS: u64 = 337_500;

const MAC_KEY: [u8; 16] = 0xD014_433C_6D17_9FEB_DA09_ABFC_3249_634C_u128.to_be_bytes();
const ENCRYPTION_KEY: [u8; 16] = 0x3BAF_FF4D_918D_89B6_8160_DE44_4E05_C0DD_u128.to_be_bytes();

/// The percent-encoded text of a token of version 3.
pub(super) fn encode(token: &Token, unlock: Unlock<'_>, nonce: &[u8; 16]) -> Result<String, Error> {
    let password = unlock.password()?;
    let device = unlock.device_id();
    let keys =
        Keys { version: 3, password: password.unwrap_or_default(), nonce, device: d48(device) };
    let mut envelope = Vec::with_capacity(291);
    envelope.extend([3, password.is_some().into(), device.is_some().into()]);
    envelope.extend(keys.device_hash());
    envelope.extend(keys.password_hash());
    envelope.extend(nonce);
    let mut payload = payload(token);
    keys.encrypt(&mut payload);
    envelope.extend_from_slice(&*payload);
    let mac = keys.mac(&envelope).finalize().into_bytes();
    envelope.extend(mac);
    Ok(percent_encode(&STANDARD.encode(envelope)))
}

/// Reads a token of version 3 or 4; the text is all that follows `ctfData=`.
pub(crate) fn decode(text: &str, unlock: Unlock<'_>) -> Result<Opened, Error> {
    let octets = octets(text)?;
    let envelope = Envelope::parse(&octets).ok_or(Error::Garbled(
        "version 3 and 4 have 291 octets, the first of which is the version",
    ))?;
    let (keys, device) = envelope.keys(unlock)?;
    if !bool::from(keys.password_hash().ct_eq(envelope.password_hash)) {
        return Err(match envelope.password_locked {
            true => Error::PasswordWrong,
            false => Error::DecryptionFailed,
        });
    }
    keys.mac(envelope.covered).verify_slice(envelope.mac).map_err(|_| Error::Checksum)?;
    let mut payload = Zeroizing::new(*envelope.payload);
    keys.decrypt(&mut payload);
    Ok(Opened {
        token: token(&payload)?,
        format: if envelope.version == 3 { Format::CtfV3 } else { Format::CtfV4 },
        password_locked: envelope.password_locked,
        device,
    })
}

/// Percent-encoded base64 to octets.
fn octets(text: &str) -> Result<Vec<u8>, Error> {
    if text.len() < TEXT {
        return Err(Error::Version);
    }
    let too_long = Error::Length("a token of version 3 or 4 has 388 characters of base64");
    let mut base64 = Vec::with_capacity(MAX_TEXT);
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        base64.push(match octet {
            b'%' => {
                let [high, low] = [rest.next(), rest.next()].map(|c| hex_digit(c?));
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(Error::Length("a % is not followed by two hexadecimal digits"));
                };
                (high << 4) | low
            }
            octet => octet,
        });
        if base64.len() > MAX_TEXT {
            return Err(too_long);
        }
    }
    base64.retain(|octet| !octet.is_ascii_whitespace());
    STANDARD.decode(base64).map_err(|_| Error::Garbled("ctfData is not base64"))
}

fn hex_digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).map(|digit| digit as u8)
}

fn percent_encode(base64: &str) -> String {
    let mut text = String::with_capacity(base64.len());
    for c in base64.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => text.push(c),
            '+' => text.push_str("%2B"),
            '/' => text.push_str("%2F"),
            _ => text.push_str("%3D"),
        }
    }
    text
}

/// The fields of section 4.1.
struct Envelope<'a> {
    version: u8,
    password_locked: bool,
    device_locked: bool,
    device_hash: &'a [u8; 32],
    password_hash: &'a [u8; 32],
    nonce: &'a [u8; 16],
    payload: &'a [u8; PAYLOAD],
    mac: &'a [u8; 32],
    /// All before the MAC.
    covered: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn parse(octets: &'a [u8]) -> Option<Self> {
        let (covered, mac) = octets.split_last_chunk::<32>()?;
        let (&[version, password_locked, device_locked], rest) = covered.split_first_chunk()?;
        let (device_hash, rest) = rest.split_first_chunk()?;
        let (password_hash, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (password_locked, device_locked) = (password_locked != 0, device_locked != 0);
        matches!(version, 3 | 4).then_some(Self {
            version,
            password_locked,
            device_locked,
            device_hash,
            password_hash,
            nonce,
            payload: rest.try_into().ok()?,
            mac,
            covered,
        })
    }

    /// The keys that follow from what the user gave, once the device id is known to fit.
    fn keys<'k>(&self, unlock: Unlock<'k>) -> Result<(Keys<'k>, Option<Device>), Error>
    where
        'a: 'k,
    {
        let password = if self.password_locked { unlock.required_password()? } else { "" };
        let keys = |device| Keys { version: self.version, password, nonce: self.nonce, device };
        let fits = |keys: &Keys<'_>| keys.device_hash().ct_eq(self.device_hash).into();
        if !self.device_locked {
            let keys = keys(d48(None));
            return if fits(&keys) { Ok((keys, None)) } else { Err(Error::DeviceIdWrong) };
        }
        device_ids(unlock)
            .into_iter()
            .map(|(device, id)| (keys(d48(Some(&id))), Some(device)))
            .find(|(keys, _)| fits(keys))
            .ok_or_else(|| no_device_fits(unlock))
    }
}

/// What hashes and keys are made of (section 4.2).
struct Keys<'a> {
    version: u8,
    password: &'a str,
    device: Zeroizing<[u8; 48]>,
    nonce: &'a [u8; 16],
}

/// The letters and digits of a device id in upper case, zero-filled.
fn d48(device: Option<&str>) -> Zeroizing<[u8; 48]> {
    let kept = device.unwrap_or_default().bytes().filter(u8::is_ascii_alphanumeric);
    let kept: Zeroizing<Vec<u8>> =
        Zeroizing::new(kept.map(|octet| octet.to_ascii_uppercase()).take(48).collect());
    Zeroizing::new(pad0(&kept))
}

impl Keys<'_> {
    fn device_hash(&self) -> [u8; 32] {
        Sha256::new().chain_update(self.nonce).chain_update(*self.device).finalize().into()
    }

    fn password_hash(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.nonce)
            .chain_update(*self.device)
            .chain_update(self.password)
            .finalize()
            .into()
    }

    fn derive(&self, constant: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        let parts: [&[u8]; 4] = [self.password.as_bytes(), &*self.device, constant, self.nonce];
        let mut input = Zeroizing::new(parts.concat());
        if self.version == 3 {
            // Version 3 drops every other octet, the first one included.
            *input = input.iter().skip(1).step_by(2).copied().collect();
        }
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha256>(&input, self.nonce, ITERATIONS, &mut *key);
        key
    }

    fn mac(&self, covered: &[u8]) -> Hmac<Sha256> {
        // HMAC itself fills a short key with zeros to one block.
        let block = Zeroizing::new(pad0::<64>(&*self.derive(&MAC_KEY)));
        <Hmac<Sha256> as KeyInit>::new((&*block).into()).chain_update(covered)
    }

    fn cipher(&self) -> Aes256 {
        Aes256::new((&*self.derive(&ENCRYPTION_KEY)).into())
    }

    /// CBC without padding.
    fn encrypt(&self, payload: &mut [u8; PAYLOAD]) {
        let cipher = self.cipher();
        let mut previous = *self.nonce;
        for block in payload.as_chunks_mut::<16>().0 {
            *block = crate::block::xor(*block, &previous);
            cipher.encrypt_block(block.into());
            previous = *block;
        }
    }

    fn decrypt(&self, payload: &mut [u8; PAYLOAD]) {
        let cipher = self.cipher();
        let mut previous = *self.nonce;
        for block in payload.as_chunks_mut::<16>().0 {
            let sealed = *block;
            cipher.decrypt_block(block.into());
            *block = crate::block::xor(*block, &previous);
            previous = sealed;
        }
    }
}

/// The plain payload of section 4.3.
fn payload(token: &Token) -> Zeroizing<[u8; PAYLOAD]> {
    let flags = token.flags;
    let add_pin = matches!(flags.pin_mode(), PinMode::Add | PinMode::AddLocal);
    let ticks = token.expiry.unix_days().unsigned_abs().saturating_mul(TICKS);
    let [_, _, _, ticks @ ..] = ticks.to_be_bytes();
    let settings = [
        1, // unknown, as the next one
        1,
        flags.contains(Flags::MODE).into(),
        flags.digits().get(),
        if add_pin { 0x21 } else { 0x1F },
        flags.interval().seconds() as u8,
    ];
    let parts: [&[u8]; 8] = [
        token.serial.as_str().as_bytes(),
        &[0; 4],
        token.seed.expose(),
        &settings,
        &[0; 10], // birth date, not used
        &ticks,
        &[0; 107],
        &[16; 16],
    ];
    Zeroizing::new(pad0(&Zeroizing::new(parts.concat())))
}

/// Reads a plain payload.
fn token(payload: &[u8; PAYLOAD]) -> Result<Token, Error> {
    let damaged = || Error::Garbled("the payload of version 3 or 4 is malformed");
    let fields = Fields::parse(payload).ok_or_else(damaged)?;
    let length = fields.serial.iter().position(|octet| *octet == 0);
    let serial = fields.serial.get(..12).filter(|_| length == Some(12));
    let serial = serial.and_then(|serial| core::str::from_utf8(serial).ok());
    let serial = serial.and_then(|serial| Serial::new(serial).ok()).ok_or_else(damaged)?;
    let [_, _, mode, digits, add_pin, interval] = *fields.settings;
    let digits = Digits::new((digits.wrapping_sub(1) & 7).saturating_add(1)).unwrap_or_default();
    let interval = if interval == 60 { Interval::Sixty } else { Interval::Thirty };
    let pin_mode = if add_pin == 0x1F { PinMode::None } else { PinMode::Add };
    let mode = if mode == 0 { 0 } else { Flags::MODE };
    let flags = Flags::from_bits(Flags::new(digits, interval, pin_mode).bits() | mode);
    let [a, b, c, d, e] = *fields.expiry;
    let days = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]) / TICKS;
    let expiry = ExpiryDay::from_unix_days(days as i64)
        .map_err(|_| Error::Garbled("the token expired before 2000"))?;
    Ok(Token::new(serial, Seed::new(*fields.seed), flags, expiry))
}

/// What is read of a payload.
struct Fields<'a> {
    serial: &'a [u8; 16],
    seed: &'a [u8; 16],
    settings: &'a [u8; 6],
    expiry: &'a [u8; 5],
}

impl<'a> Fields<'a> {
    fn parse(payload: &'a [u8]) -> Option<Self> {
        let (serial, rest) = payload.split_first_chunk()?;
        let (seed, rest) = rest.split_first_chunk()?;
        let (settings, rest) = rest.split_first_chunk()?;
        let (expiry, _) = rest.get(10..)?.split_first_chunk()?;
        Some(Self { serial, seed, settings, expiry })
    }
}
