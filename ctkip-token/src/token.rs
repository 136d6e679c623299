//! The token itself.

use alloc::string::String;

use crate::{Digits, ExpiryDay, Flags, Interval, Pin, PinMode, Seed, Serial, Tokencode, tokencode};

/// The most characters of a label taken over from a server.
const MAX_LABEL: usize = 1000;

/// A software token (docs/spec/securid-token.md section 1).
///
/// It is not `Clone` since it holds a secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct Token {
    /// The serial number.
    pub serial: Serial,
    /// The secret.
    pub seed: Seed,
    /// Digits, interval, PIN mode and the rest of the flags word.
    pub flags: Flags,
    /// The last valid day.
    pub expiry: ExpiryDay,
    /// Texts about the token; only sdtid and JSON carry them.
    pub labels: Labels,
}

/// Texts about a token that play no part in its codes. Empty means unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// Who issued it: ServiceID in CT-KIP, Origin in sdtid.
    pub issuer: String,
    /// Who it is for: UserID in CT-KIP, UserLogin in sdtid.
    pub user: String,
    /// The user's first name.
    pub first_name: String,
    /// The user's last name.
    pub last_name: String,
    /// The name the user gave the token.
    pub nickname: String,
    /// The device id an sdtid file was made for. It takes no part in the file's keys.
    pub device_id: String,
    /// PinType of CT-KIP and sdtid; no effect on codes.
    pub pin_type: u32,
}

/// What a CT-KIP exchange delivered, for [`Token::from_ctkip`].
#[derive(Debug)]
pub struct FromCtkip<'a> {
    /// K_TOKEN.
    pub k_token: Seed,
    /// KeyID, decoded.
    pub serial: Serial,
    /// KeyExpiryDate, for example by [`ExpiryDay::from_date`].
    pub expiry: ExpiryDay,
    /// ServiceID.
    pub issuer: &'a str,
    /// UserID.
    pub user: &'a str,
    /// OTPLength.
    pub digits: Digits,
    /// TimeInterval.
    pub interval: Interval,
    /// AddPIN: whether a PIN is added to the code.
    pub add_pin: bool,
    /// PinType.
    pub pin_type: u32,
}

impl Token {
    /// A token without labels.
    #[must_use]
    pub fn new(serial: Serial, seed: Seed, flags: Flags, expiry: ExpiryDay) -> Self {
        Self { serial, seed, flags, expiry, labels: Labels::default() }
    }

    /// The token that a CT-KIP exchange delivered (section 1.3). AddPIN gives PIN mode 2, no
    /// AddPIN gives PIN mode 0.
    ///
    /// It cannot fail, since the server has committed the token by then. Odd values are replaced
    /// before: an absent date by ten years from today, `Digits` and `Interval` by their defaults.
    /// Texts are cut at 1000 characters, so that the token fits any form.
    #[must_use]
    pub fn from_ctkip(from: FromCtkip<'_>) -> Self {
        let pin_mode = if from.add_pin { PinMode::Add } else { PinMode::None };
        let flags = Flags::new(from.digits, from.interval, pin_mode);
        let label = |text: &str| text.trim_ascii().chars().take(MAX_LABEL).collect();
        let labels = Labels {
            issuer: label(from.issuer),
            user: label(from.user),
            pin_type: from.pin_type,
            ..Labels::default()
        };
        Self { labels, ..Self::new(from.serial, from.k_token, flags, from.expiry) }
    }

    /// The tokencode at a Unix time in seconds. A PIN that is given is added to it; whether the
    /// token wants one is said by [`PinMode::uses_pin`].
    ///
    /// ```
    /// use ctkip_token::{Digits, ExpiryDay, Flags, Interval, Pin, PinMode, Seed, Serial, Token};
    ///
    /// // The worked example of docs/spec/securid-token.md section 2.
    /// let token = Token::new(
    ///     Serial::new("467550051505")?,
    ///     Seed::new(0x9218a24ac26dce67f4d7e445a01b59ca_u128.to_be_bytes()),
    ///     Flags::new(Digits::default(), Interval::Sixty, PinMode::Add),
    ///     ExpiryDay::from_date("2031-02-28")?,
    /// );
    /// let time = 1_709_251_199; // 2024-02-29 23:59:59
    /// assert_eq!(token.tokencode(time, None).expose(), "75783347");
    /// assert_eq!(token.tokencode(time, Some(&Pin::new("1234")?)).expose(), "75784571");
    /// assert_eq!(token.seconds_left(time), 1);
    /// assert!(!token.expiry.expired(time));
    /// # Ok::<(), ctkip_token::Error>(())
    /// ```
    #[must_use]
    pub fn tokencode(&self, time: u64, pin: Option<&Pin>) -> Tokencode {
        let (interval, digits) = (self.flags.interval(), self.flags.digits());
        tokencode::compute(&self.seed, &self.serial, interval, digits, time, pin)
    }

    /// The tokencode of the interval after the one that holds `time`.
    #[must_use]
    pub fn next_tokencode(&self, time: u64, pin: Option<&Pin>) -> Tokencode {
        self.tokencode(time.saturating_add(self.flags.interval().seconds()), pin)
    }

    /// For how many seconds the code at `time` stays current: 1 to the interval's length.
    #[must_use]
    pub fn seconds_left(&self, time: u64) -> u64 {
        let interval = self.flags.interval().seconds();
        interval.saturating_sub(time.checked_rem(interval).unwrap_or_default())
    }

    /// The code's number of digits.
    #[must_use]
    pub const fn digits(&self) -> Digits {
        self.flags.digits()
    }

    /// How often the code changes.
    #[must_use]
    pub const fn interval(&self) -> Interval {
        self.flags.interval()
    }

    /// What role a PIN plays.
    #[must_use]
    pub const fn pin_mode(&self) -> PinMode {
        self.flags.pin_mode()
    }
}
