//! What a SecurID token is to do, read from what the server said of it.
//!
//! Once the MAC is good the server has committed the token, so nothing odd in a value loses it: it
//! gets a default and a warning (`docs/spec/securid-token.md` section 1.3).

use crate::message::{Extension, ExtensionKind, OtpConfiguration, OtpMode, TokenRecord};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// A calendar day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Year, as four digits.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// How a one-time password is written (`OTPFormat`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OtpFormat {
    /// Decimal digits, the only form of a SecurID tokencode.
    Decimal,
}

/// PIN settings, which the deployed dialect sends beside the protocol, in the ProvisioningData of
/// its second answer (`docs/spec/deployed-profile.md` section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PinSettings {
    /// `PinType`; 0 unless the server says otherwise. No tokencode depends on it.
    pub pin_type: u32,
    /// `AddPIN`: the user's PIN is added to the tokencode. True unless the server says otherwise.
    pub add_pin: bool,
}

impl Default for PinSettings {
    fn default() -> Self {
        Self { pin_type: 0, add_pin: true }
    }
}

/// A value that was absent or odd, and what was taken in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// `KeyID` is not the ASCII decimal serial number it is in this dialect.
    Serial,
    /// `TokenID` and `KeyID` differ; the serial number is taken from `KeyID`.
    TokenIdDiffers,
    /// `KeyExpiryDate` is absent or no date: the caller's default counts.
    Expiry,
    /// `ServiceID` is absent: the issuer is empty.
    ServiceId,
    /// `UserID` is absent: the user is empty.
    UserId,
    /// There is no OTP configuration, or an empty one: 8 decimal digits every 60 seconds.
    OtpConfiguration,
    /// `OTPFormat` is another than Decimal: taken as Decimal.
    OtpFormat(String),
    /// `OTPLength` is absent, no number, or none of 1 to 8: taken as 8.
    OtpLength(String),
    /// `TimeInterval` is absent, no number, or none of 30 and 60: taken as 60.
    OtpInterval(String),
    /// The ProvisioningData of the second answer is absent or not readable: the defaults.
    ProvisioningData,
    /// `PinType` is absent or no number: taken as 0.
    PinType(String),
    /// `AddPIN` is absent or no number: taken as 1.
    AddPin(String),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial => f.write_str("the key identifier is no decimal serial number"),
            Self::TokenIdDiffers => {
                f.write_str("token and key identifier differ; the latter is taken as serial number")
            }
            Self::Expiry => f.write_str("there is no readable expiry date"),
            Self::ServiceId => f.write_str("the server names no service"),
            Self::UserId => f.write_str("the server names no user"),
            Self::OtpConfiguration => f.write_str(
                "the server does not say what to compute; taken: 8 decimal digits every 60 seconds",
            ),
            Self::OtpFormat(text) => write!(f, "tokencode format {text:?} taken as Decimal"),
            Self::OtpLength(text) => write!(f, "tokencode length {text:?} taken as 8"),
            Self::OtpInterval(text) => write!(f, "tokencode interval {text:?} taken as 60 seconds"),
            Self::ProvisioningData => f.write_str("the server sent no readable PIN settings"),
            Self::PinType(text) => write!(f, "PIN type {text:?} taken as 0"),
            Self::AddPin(text) => write!(f, "AddPIN {text:?} taken as 1"),
        }
    }
}

/// What the new token is, in the terms of SecurID.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenSettings {
    /// The serial number: the text of `KeyID`.
    pub serial: String,
    /// The calendar date of `KeyExpiryDate`, without conversion of time zones.
    pub expiry: Option<Date>,
    /// `ServiceID`, or an empty text.
    pub issuer: String,
    /// `UserID`, or an empty text.
    pub user: String,
    /// How a tokencode is written.
    pub format: OtpFormat,
    /// Digits of a tokencode, 1 to 8.
    pub digits: u8,
    /// Seconds between two tokencodes, 30 or 60.
    pub interval: u32,
}

impl TokenSettings {
    /// A token of this serial number for nobody in particular: eight digits every 60 seconds, with no
    /// expiry.
    #[must_use]
    pub const fn new(serial: String) -> Self {
        Self {
            serial,
            expiry: None,
            issuer: String::new(),
            user: String::new(),
            format: OtpFormat::Decimal,
            digits: 8,
            interval: 60,
        }
    }

    /// The record that says so, as a server sends it (`docs/spec/deployed-profile.md` section 5.4).
    /// [`Self::read`] gives the same settings again.
    #[must_use]
    pub fn record(&self) -> TokenRecord {
        let otp = OtpConfiguration {
            format: Some("Decimal".into()),
            length: Some(self.digits.to_string()),
            modes: vec![OtpMode::Time(Some(self.interval.to_string()))],
        };
        TokenRecord {
            token_id: self.serial.clone().into_bytes(),
            key_id: self.serial.clone().into_bytes(),
            key_expiry: self.expiry.map(|day| format!("{day}T00:00:00+00:00")),
            service_id: Some(self.issuer.clone()),
            service_logo: None,
            user_id: Some(self.user.clone()),
            extensions: vec![Extension {
                critical: true,
                kind: ExtensionKind::OtpConfiguration(otp),
            }],
        }
    }

    /// Reads a record. Whatever is absent or odd gets its default and a warning.
    #[must_use]
    pub fn read(record: &TokenRecord) -> (Self, Vec<Warning>) {
        let mut warnings = Vec::new();
        let serial = String::from_utf8_lossy(&record.key_id).into_owned();
        if serial.is_empty() || !serial.bytes().all(|octet| octet.is_ascii_digit()) {
            warnings.push(Warning::Serial);
        } else if record.token_id != record.key_id {
            warnings.push(Warning::TokenIdDiffers);
        }
        let expiry = record.key_expiry.as_deref().and_then(calendar_date);
        if expiry.is_none() {
            warnings.push(Warning::Expiry);
        }
        if record.service_id.is_none() {
            warnings.push(Warning::ServiceId);
        }
        if record.user_id.is_none() {
            warnings.push(Warning::UserId);
        }
        let (digits, interval) = otp(record.otp(), &mut warnings);
        let settings = Self {
            serial,
            expiry,
            issuer: record.service_id.clone().unwrap_or_default(),
            user: record.user_id.clone().unwrap_or_default(),
            format: OtpFormat::Decimal,
            digits,
            interval,
        };
        (settings, warnings)
    }
}

/// Digits and interval.
fn otp(configuration: Option<&OtpConfiguration>, warnings: &mut Vec<Warning>) -> (u8, u32) {
    let Some(otp) = configuration.filter(|otp| **otp != OtpConfiguration::default()) else {
        warnings.push(Warning::OtpConfiguration);
        return (8, 60);
    };
    let format = otp.format.as_deref().unwrap_or("Decimal");
    if format.trim() != "Decimal" {
        warnings.push(Warning::OtpFormat(String::from(format)));
    }
    let length = otp.length.as_deref().unwrap_or_default();
    let digits = number(length).filter(|digits| (1..=8).contains(digits)).unwrap_or_else(|| {
        warnings.push(Warning::OtpLength(String::from(length)));
        8
    });
    let interval = otp.modes.iter().find_map(|mode| match mode {
        OtpMode::Time(interval) => interval.as_deref(),
        _ => None,
    });
    let interval = interval.unwrap_or_default();
    let seconds =
        number(interval).filter(|seconds| [30, 60].contains(seconds)).unwrap_or_else(|| {
            warnings.push(Warning::OtpInterval(String::from(interval)));
            60
        });
    (u8::try_from(digits).unwrap_or(8), seconds)
}

/// A number as XML Schema's integers are written: white space around it, a sign, leading zeros.
pub(crate) fn number(text: &str) -> Option<u32> {
    text.trim_matches([' ', '\t', '\r', '\n']).parse().ok()
}

/// The first ten characters of an `xs:dateTime`, or of a bare date, as a day of the calendar.
fn calendar_date(text: &str) -> Option<Date> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let mut parts = text.get(..10)?.split('-');
    let mut part = |digits: usize| {
        parts
            .next()
            .filter(|part| part.len() == digits && part.bytes().all(|octet| octet.is_ascii_digit()))
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    if !text.get(10..)?.starts_with(['T', 'Z', '+', '-']) && text.len() > 10 {
        return None;
    }
    let date =
        Date { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? };
    (1..=days_of(date.year, date.month)?).contains(&date.day).then_some(date)
}

/// How many days a month has, in the Gregorian calendar; `None` when it is none of the twelve.
pub(crate) const fn days_of(year: u16, month: u8) -> Option<u8> {
    match month {
        2 if year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400) => {
            Some(29)
        }
        2 => Some(28),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}
