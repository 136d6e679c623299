//! Numeric tokens of version 1 and 2 (docs/spec/securid-token.md section 3).

use alloc::{string::String, vec::Vec};

use zeroize::Zeroizing;

use super::{device_ids, mac, no_device_fits};
use crate::{
    Device, Error, ExpiryDay, Flags, Format, Opened, Seed, Serial, Token, Unlock, block,
    serial::ascii_digit,
};

/// The widths of the payload's fields, in bits.
const SEED: usize = 128;
const FLAGS: usize = 16;
const EXPIRY: usize = 14;
const UNUSED: usize = 1;
const HASH: usize = 15;

const PAYLOAD_DIGITS: usize = 63;
const CHECKSUM_DIGITS: usize = 5;
/// The longest run of digits that is looked at.
const MAX_DIGITS: usize = 2047;

/// How much of a device id counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceLimit {
    /// 32 octets: bare digits.
    Desktop,
    /// 40 octets: links.
    Smartphone,
}

impl DeviceLimit {
    const fn octets(self) -> usize {
        match self {
            Self::Desktop => 32,
            Self::Smartphone => 40,
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Desktop => Self::Smartphone,
            Self::Smartphone => Self::Desktop,
        }
    }
}

/// The 81 digits of a token of version 2.
pub(super) fn encode(
    token: &Token,
    limit: DeviceLimit,
    unlock: Unlock<'_>,
) -> Result<String, Error> {
    let expiry = token.expiry.days();
    if expiry >= 1 << EXPIRY {
        let date = token.expiry.last_day();
        return Err(Error::ExpiryRange { date, form: "as a numeric token" });
    }
    let (mut flags, mut device) = (token.flags.bits(), DeviceKey::none(limit));
    let password = unlock.password()?.unwrap_or_default();
    if !password.is_empty() {
        flags |= Flags::PASSWORD_LOCK;
    }
    if let Some(id) = unlock.device_id() {
        flags |= Flags::DEVICE_LOCK;
        device = DeviceKey::new(id, 2, limit);
    }
    let sealed = block::encrypt(&device.key(password), token.seed.expose());

    let mut bits = Vec::with_capacity(PAYLOAD_DIGITS.saturating_mul(3));
    push(&mut bits, u128::from_be_bytes(sealed), SEED);
    push(&mut bits, flags.into(), FLAGS);
    push(&mut bits, expiry.into(), EXPIRY);
    push(&mut bits, 0, UNUSED);
    push(&mut bits, mac::short(token.seed.expose()).into(), HASH);
    push(&mut bits, device.hash().into(), HASH);

    let mut text = String::from("2");
    text.push_str(token.serial.as_str());
    text.extend(digits(&bits));
    let mut checksum = Vec::with_capacity(HASH);
    push(&mut checksum, mac::short(text.as_bytes()).into(), HASH);
    text.extend(digits(&checksum));
    Ok(text)
}

/// Reads the digits at the start of a text; dashes between them do not count.
pub(crate) fn decode(text: &str, limit: DeviceLimit, unlock: Unlock<'_>) -> Result<Opened, Error> {
    let digits: String = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '-')
        .filter(|c| *c != '-')
        .take(MAX_DIGITS.saturating_add(1))
        .collect();
    let length = || Error::Length("a numeric token has 81 to 85 digits");
    if !(81..=85).contains(&digits.len()) {
        return Err(length());
    }
    let covered = digits.len().saturating_sub(CHECKSUM_DIGITS);
    let (covered, checksum) = digits.split_at_checked(covered).ok_or_else(length)?;
    if take(&mut bits(checksum), HASH) != u128::from(mac::short(covered.as_bytes())) {
        return Err(Error::Checksum);
    }
    let (version, rest) = covered.split_at_checked(1).ok_or_else(length)?;
    let (serial, payload) = rest.split_at_checked(12).ok_or_else(length)?;
    let payload = Payload::parse(payload);
    let version = if version == "1" { 1 } else { 2 };
    let (seed, device) = payload.open(version, limit, unlock)?;
    let token = Token::new(
        Serial::new(serial)?,
        seed,
        Flags::from_bits(payload.flags),
        ExpiryDay::from_days(payload.expiry)?,
    );
    Ok(Opened {
        token,
        format: if version == 1 { Format::CtfV1 } else { Format::CtfV2 },
        password_locked: payload.locked_with(Flags::PASSWORD_LOCK),
        device,
    })
}

struct Payload {
    seed: [u8; 16],
    flags: u16,
    expiry: u32,
    seed_hash: u16,
    device_hash: u16,
}

impl Payload {
    fn parse(digits: &str) -> Self {
        let bits = &mut bits(digits);
        let seed = take(bits, SEED).to_be_bytes();
        let (flags, expiry) = (take(bits, FLAGS) as u16, take(bits, EXPIRY) as u32);
        take(bits, UNUSED);
        let (seed_hash, device_hash) = (take(bits, HASH) as u16, take(bits, HASH) as u16);
        Self { seed, flags, expiry, seed_hash, device_hash }
    }

    const fn locked_with(&self, lock: u16) -> bool {
        self.flags & lock != 0
    }

    /// Tries what the user gave, or failing that what everybody knows.
    fn open(
        &self,
        version: u8,
        limit: DeviceLimit,
        unlock: Unlock<'_>,
    ) -> Result<(Seed, Option<Device>), Error> {
        let (password, mismatch) = match self.locked_with(Flags::PASSWORD_LOCK) {
            true => (unlock.required_password()?, Error::PasswordWrong),
            false => ("", Error::DecryptionFailed),
        };
        if !self.locked_with(Flags::DEVICE_LOCK) {
            let seed = self.seed(&DeviceKey::none(limit), password);
            return seed.map(|seed| (seed, None)).ok_or(mismatch);
        }
        let mut fitted = false;
        // A text may have lost its link, or got one: the other limit is tried as well.
        for limit in [limit, limit.other()] {
            for (device, id) in device_ids(unlock) {
                let key = DeviceKey::new(&id, version, limit);
                if key.hash() != self.device_hash {
                    continue;
                }
                fitted = true;
                // The hash has 15 bits: another id can fit by chance.
                if let Some(seed) = self.seed(&key, password) {
                    return Ok((seed, Some(device)));
                }
            }
        }
        Err(if fitted { mismatch } else { no_device_fits(unlock) })
    }

    /// The seed, if it fits its hash.
    fn seed(&self, device: &DeviceKey, password: &str) -> Option<Seed> {
        let seed = Seed::new(block::decrypt(&device.key(password), &self.seed));
        (mac::short(seed.expose()) == self.seed_hash).then_some(seed)
    }
}

/// What of a device id goes into key and hash (section 3.3).
struct DeviceKey {
    kept: Zeroizing<Vec<u8>>,
    limit: DeviceLimit,
}

impl DeviceKey {
    fn none(limit: DeviceLimit) -> Self {
        Self { kept: Zeroizing::new(Vec::new()), limit }
    }

    fn new(id: &str, version: u8, limit: DeviceLimit) -> Self {
        // Skipped octets count towards the limit. Version 1 keeps what is not a digit: so do the
        // programs in the field.
        let keep = |octet: &u8| match version {
            1 => !octet.is_ascii_digit(),
            _ => octet.is_ascii_hexdigit(),
        };
        let kept = id.bytes().take(limit.octets()).filter(keep);
        let kept = kept.map(|octet| octet.to_ascii_uppercase()).collect();
        Self { kept: Zeroizing::new(kept), limit }
    }

    fn hash(&self) -> u16 {
        let mut padded = self.kept.clone();
        padded.resize(self.limit.octets(), 0);
        mac::short(&padded)
    }

    fn key(&self, password: &str) -> Zeroizing<[u8; 16]> {
        const CONSTANT: &[u8] = &[0xD8, 0xF5, 0x32, 0x53, 0x82, 0x89];
        let message = Zeroizing::new([password.as_bytes(), &self.kept, CONSTANT].concat());
        Zeroizing::new(mac::mac(&message))
    }
}

/// Appends the lowest `width` bits of a value, the highest of them first.
fn push(bits: &mut Vec<u8>, value: u128, width: usize) {
    let bit = |i: usize| value.checked_shr(i as u32).unwrap_or_default() as u8 & 1;
    bits.extend((0..width).rev().map(bit));
}

/// Three bits a digit.
fn digits(bits: &[u8]) -> impl Iterator<Item = char> {
    bits.chunks(3).map(|three| {
        let number = three.iter().fold(0, |number, bit| (number << 1) | bit);
        char::from(ascii_digit(number))
    })
}

/// Takes the next bits as a number. Past the end there are zeros.
fn take(bits: &mut impl Iterator<Item = bool>, width: usize) -> u128 {
    (0..width).fold(0, |number, _| (number << 1) | u128::from(bits.next().unwrap_or_default()))
}

/// The low three bits of each digit: 8 and 9 alias 0 and 1.
fn bits(digits: &str) -> impl Iterator<Item = bool> {
    digits.bytes().flat_map(|digit| [4, 2, 1].map(|bit| digit & bit != 0))
}
