//! Writing (docs/spec/securid-token.md sections 5.2, 5.8 and 5.9).

use std::{format, string::String, vec::Vec};

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::{
    batch_key,
    keys::{BATCH_MAC_IV, KeyInputs, Keys, TOKEN_MAC_IV},
    layout::Skeleton,
    mac::{is_mac, serialise, signature_input},
    template::Template,
    value::{base64, octets16},
};
use crate::{Error, ExpiryDay, Flags, Seed, Serial, Token, Unlock, block::cbc_mac};

/// What to write beside the token itself. The default is a plain file.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteOptions<'a> {
    /// The password that will open the file, and the device id to note in it. The device id takes
    /// no part in the keys: a file made for one device can be opened anywhere.
    pub unlock: Unlock<'a>,
    /// A document with root TKNBatch whose elements replace defaults and the token's own values
    /// (section 5.9); sections and elements are all optional.
    pub template: Option<&'a str>,
}

/// Writes a token as a document of its own, with a fresh random Secret unless the template has
/// one. Given Secret and token, the text is the same every time.
///
/// White space around labels is dropped, empty ones become a blank, and characters that XML
/// cannot hold become U+FFFD: every label can be written.
///
/// # Errors
/// [`Error::ExpiryRange`] for 2000-01-01, which no reader takes; [`Error::PasswordTooLong`];
/// [`Error::Random`]; [`Error::TooLarge`] for texts of more than 64 KiB. For a template:
/// [`Error::Xml`] if it is not well-formed or has another root, [`Error::Multiple`] if it has
/// several tokens, [`Error::Element`] if its Secret or Seed is malformed.
pub fn write<R: TryCryptoRng + ?Sized>(
    token: &Token,
    options: &WriteOptions<'_>,
    rng: &mut R,
) -> Result<String, Error> {
    let document = options.template.map(super::document::parse).transpose()?;
    let template = Template::new(document.as_ref())?;
    let mut draft = Draft { text: Skeleton::new(&template), template: &template };
    draft.default("Secret", "Secret", || random_secret(rng))?;
    draft.default("SN", "SN", || Ok(token.serial.as_str().into()))?;
    draft.flags(token.flags)?;
    draft.default("Death", "DefDeath", || death(token.expiry))?;
    draft.labels(token)?;
    let seed = match template.seed()? {
        Some(seed) => seed,
        None => Seed::new(*token.seed.expose()),
    };
    draft.seal(&seed, options.unlock)
}

/// Writes a new random token (section 5.9, `issue`): 8 digits, 60 seconds, AddPIN, born on the
/// day of `now` (Unix seconds) and good for 1825 days, all but the seed as the template has it.
///
/// # Errors
/// As [`write()`], and [`Error::InvalidDate`] if `now` lies before 2000.
pub fn issue<R: TryCryptoRng + ?Sized>(
    now: u64,
    options: &WriteOptions<'_>,
    rng: &mut R,
) -> Result<String, Error> {
    let today = ExpiryDay::from_unix(now)?;
    let document = options.template.map(super::document::parse).transpose()?;
    let template = Template::new(document.as_ref())?;
    let mut draft = Draft { text: Skeleton::new(&template), template: &template };
    draft.text.set("Secret", &random_secret(rng)?);
    draft.default("SN", "SN", || Ok(Serial::random(rng)?.as_str().into()))?;
    draft.default("Birth", "DefBirth", || Ok(slashes(today)))?;
    draft.default("Death", "DefDeath", || death(today.plus_days(1825)))?;
    draft.seal(&Seed::random(rng)?, options.unlock)
}

fn random_secret<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<String, Error> {
    let mut secret = Zeroizing::new([0; 16]);
    rng.try_fill_bytes(&mut *secret).map_err(|_| Error::Random)?;
    Ok(base64(&*secret))
}

/// An expiry date that readers take.
pub(super) fn death(day: ExpiryDay) -> Result<String, Error> {
    if day.days() == 0 {
        return Err(Error::ExpiryRange { date: day.last_day(), form: "into an sdtid file" });
    }
    Ok(slashes(day))
}

fn slashes(day: ExpiryDay) -> String {
    day.last_day().replace('-', "/")
}

/// A document in the making.
struct Draft<'a, 'd> {
    text: Skeleton,
    template: &'a Template<'d>,
}

impl Draft<'_, '_> {
    /// Sets `element` unless the template has `value` in one way or another.
    fn default(
        &mut self,
        value: &str,
        element: &str,
        make: impl FnOnce() -> Result<String, Error>,
    ) -> Result<(), Error> {
        if self.template.get(value).is_none() {
            self.text.set(element, &make()?);
        }
        Ok(())
    }

    fn flags(&mut self, flags: Flags) -> Result<(), Error> {
        let bit = |mask| u64::from(flags.contains(mask));
        let values = [
            ("TimeDerivedSeeds", bit(Flags::TIME_DERIVED)),
            ("AppDerivedSeeds", bit(Flags::APP_DERIVED)),
            ("Mode", bit(Flags::MODE)),
            ("Alg", bit(Flags::AES)),
            ("AddPIN", bit(Flags::ADD_PIN)),
            ("LocalPIN", bit(Flags::LOCAL_PIN)),
            ("Digits", flags.digits().get().into()),
            ("Interval", flags.interval().seconds()),
        ];
        for (name, value) in values {
            self.default(name, &format!("Def{name}"), || Ok(format!("{value}")))?;
        }
        Ok(())
    }

    fn labels(&mut self, token: &Token) -> Result<(), Error> {
        let labels = &token.labels;
        let texts = [
            ("Origin", &labels.issuer),
            ("UserFirstName", &labels.first_name),
            ("UserLastName", &labels.last_name),
            ("UserLogin", &labels.user),
            ("DeviceSerialNumber", &labels.device_id),
            ("Nickname", &labels.nickname),
        ];
        for (name, text) in texts {
            let text = text.trim_ascii();
            if !text.is_empty() {
                self.default(name, name, || Ok(text.into()))?;
            }
        }
        self.default("PinType", "DefPinType", || Ok(format!("{}", labels.pin_type)))
    }

    /// Steps 7 to 11: encrypts the seed, adds MACs and signature, and gives the text.
    fn seal(mut self, seed: &Seed, unlock: Unlock<'_>) -> Result<String, Error> {
        if let Some(id) = unlock.device_id() {
            self.text.set("DeviceSerialNumber", id);
        }
        let keys = self.keys(unlock)?;
        self.text.set("Seed", &format!("={}", base64(&keys.seal(seed))));
        for (section, name, key, iv) in [
            ("TKNHeader", "HeaderMAC", &keys.batch_mac, &BATCH_MAC_IV),
            ("TKN", "TokenMAC", &keys.token_mac, &TOKEN_MAC_IV),
        ] {
            let leaves: Vec<_> =
                self.text.leaves(section).filter(|leaf| !is_mac(leaf.own_name())).collect();
            let mac = cbc_mac(key, iv, &serialise(&leaves)?);
            self.text.append(section, name, base64(&mac));
        }
        let signed = signature_input(self.text.leaves("TKNHeader").chain(self.text.leaves("TKN")));
        self.text.set("BatchSignature", &base64(&batch_key::sign(&signed)));
        self.text.set("BatchCertificate", batch_key::CERTIFICATE);
        Ok(self.text.to_xml())
    }

    /// The keys that follow from what is in the document by now.
    fn keys(&self, unlock: Unlock<'_>) -> Result<Keys, Error> {
        let value = |name| self.text.get(name).trim_ascii();
        let problem = "is not base64 of 16 octets";
        let secret =
            octets16(value("Secret")).ok_or(Error::Element { element: "Secret", problem })?;
        Ok(Keys::derive(&KeyInputs {
            password: unlock.password()?.unwrap_or_else(|| value("Origin")),
            dest: value("Dest"),
            name: value("Name"),
            secret: &secret,
            serial: value("SN"),
        }))
    }
}
