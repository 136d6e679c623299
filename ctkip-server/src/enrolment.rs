//! Who is to get a token, and of which kind.

use ctkip_core::message::TokenRecord;
use ctkip_core::{Date, PinSettings, Profile, TokenSettings};

/// The dialect an enrolment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// That of deployed clients: an activation code beside the protocol.
    #[default]
    Securid,
    /// RFC 4758: a trigger, whose nonce stands for the code.
    Rfc4758,
}

impl Dialect {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Securid, Self::Rfc4758];

    /// How it is called on command lines and in stores.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Securid => "securid",
            Self::Rfc4758 => "rfc4758",
        }
    }

    /// The dialect of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// The profile that speaks it.
    #[must_use]
    pub const fn profile(self) -> Profile {
        match self {
            Self::Securid => Profile::SECURID,
            Self::Rfc4758 => Profile::RFC4758,
        }
    }
}

/// A token to be: whose it is and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The serial number: twelve digits, no other enrolment of the store has it. TokenID and KeyID.
    pub serial: String,
    /// Whose token it is (UserID).
    pub user: String,
    /// The service it is for (ServiceID).
    pub service: String,
    /// Digits of a tokencode, 1 to 8.
    pub digits: u8,
    /// Seconds between two tokencodes, 30 or 60.
    pub interval: u32,
    /// What is said of the PIN beside the protocol.
    pub pin: PinSettings,
    /// The last day of the token, in UTC.
    pub expires: Date,
    /// The device that the token is for. In RFC 4758 the trigger names it as TokenID, and no other
    /// client gets a token; deployed clients do not say which device they are on, so that it is
    /// only kept and exported.
    pub device: Option<String>,
    /// The dialect it is provisioned in.
    pub dialect: Dialect,
}

impl Enrolment {
    /// What `ServerFinished` says of the token (`docs/spec/deployed-profile.md` section 5.4; R060).
    #[must_use]
    pub fn record(&self) -> TokenRecord {
        let mut settings = TokenSettings::new(self.serial.clone());
        settings.expiry = Some(self.expires);
        settings.issuer.clone_from(&self.service);
        settings.user.clone_from(&self.user);
        settings.digits = self.digits;
        settings.interval = self.interval;
        let record = settings.record();
        match self.token_id() {
            Some(token_id) => TokenRecord { token_id, ..record },
            None => record,
        }
    }

    /// The TokenID that a client has to bring, if one.
    pub(crate) fn token_id(&self) -> Option<Vec<u8>> {
        match self.dialect {
            Dialect::Securid => None,
            Dialect::Rfc4758 => self.device.clone().map(String::into_bytes),
        }
    }
}
