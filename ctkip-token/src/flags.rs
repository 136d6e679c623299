//! The flags word and what it holds (docs/spec/securid-token.md section 1.1).

use core::fmt;

/// How often the tokencode changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Interval {
    /// Every 30 seconds.
    Thirty,
    /// Every 60 seconds, the usual case.
    #[default]
    Sixty,
}

impl Interval {
    /// The interval of 30 or 60 seconds; no other exists.
    #[must_use]
    pub const fn new(seconds: u64) -> Option<Self> {
        match seconds {
            30 => Some(Self::Thirty),
            60 => Some(Self::Sixty),
            _ => None,
        }
    }

    /// Its length in seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Thirty => 30,
            Self::Sixty => 60,
        }
    }
}

/// The number of digits of a tokencode, 1 to 8. The default is 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digits(u8);

impl Digits {
    /// 1 to 8 digits; nothing else exists.
    #[must_use]
    pub const fn new(digits: u8) -> Option<Self> {
        match digits {
            1..=8 => Some(Self(digits)),
            _ => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for Digits {
    fn default() -> Self {
        Self(8)
    }
}

/// What role a PIN plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PinMode {
    /// 0: no PIN.
    None,
    /// 1: LocalPIN without AddPIN. No PIN is added to the code.
    Local,
    /// 2: AddPIN. The PIN is added to the code.
    Add,
    /// 3: AddPIN and LocalPIN. The PIN is added to the code.
    AddLocal,
}

impl PinMode {
    /// The mode's number, 0 to 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether a PIN given by the user is to be added to the code: modes 2 and 3.
    #[must_use]
    pub const fn uses_pin(self) -> bool {
        matches!(self, Self::Add | Self::AddLocal)
    }
}

/// The flags word of a token, without the two lock bits: those belong to an encoded text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flags(u16);

impl Flags {
    /// Bit 5, of unknown use, carried along.
    pub const FEATURE_6: u16 = 0x0020;
    /// Bit 9: set for every ordinary token.
    pub const TIME_DERIVED: u16 = 0x0200;
    /// Bit 10: element Mode of an sdtid file.
    pub const MODE: u16 = 0x0400;
    /// Bit 11: app-derived seed.
    pub const APP_DERIVED: u16 = 0x0800;
    /// Bit 12: the encoded seed is locked to a device id. Never in a `Flags`.
    pub const DEVICE_LOCK: u16 = 0x1000;
    /// Bit 13: the encoded seed is locked with a password. Never in a `Flags`.
    pub const PASSWORD_LOCK: u16 = 0x2000;
    /// Bit 14: AES-128 token. Clear would mean a 64-bit token, which is computed the same way.
    pub const AES: u16 = 0x4000;

    pub(crate) const LOCAL_PIN: u16 = 0x0008;
    pub(crate) const ADD_PIN: u16 = 0x0010;
    const INTERVAL: u16 = 0x0003;

    /// An ordinary token's flags: AES, time-derived seed.
    #[must_use]
    pub const fn new(digits: Digits, interval: Interval, pin_mode: PinMode) -> Self {
        let interval = match interval {
            Interval::Thirty => 0,
            Interval::Sixty => 1,
        };
        let digits = (digits.0.wrapping_sub(1) as u16) << 6;
        let pin_mode = (pin_mode.number() as u16) << 3;
        Self(Self::AES | Self::TIME_DERIVED | digits | pin_mode | interval)
    }

    /// Flags out of an encoded word; the lock bits are dropped.
    #[must_use]
    pub const fn from_bits(word: u16) -> Self {
        Self(word & !(Self::DEVICE_LOCK | Self::PASSWORD_LOCK))
    }

    /// The word, lock bits clear.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether all bits of `mask` are set.
    #[must_use]
    pub const fn contains(self, mask: u16) -> bool {
        self.0 & mask == mask
    }

    /// How often the code changes: field value 0 is 30 s, anything else 60 s.
    #[must_use]
    pub const fn interval(self) -> Interval {
        if self.0 & Self::INTERVAL == 0 { Interval::Thirty } else { Interval::Sixty }
    }

    /// The code's number of digits.
    #[must_use]
    pub const fn digits(self) -> Digits {
        Digits(((self.0 >> 6) as u8 & 7).wrapping_add(1))
    }

    /// The PIN mode.
    #[must_use]
    pub const fn pin_mode(self) -> PinMode {
        match (self.contains(Self::ADD_PIN), self.contains(Self::LOCAL_PIN)) {
            (false, false) => PinMode::None,
            (false, true) => PinMode::Local,
            (true, false) => PinMode::Add,
            (true, true) => PinMode::AddLocal,
        }
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({:04x})", self.0)
    }
}
