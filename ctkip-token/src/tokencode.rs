//! Tokencodes (docs/spec/securid-token.md section 2).

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    Digits, Interval, Pin, Seed, Serial, block,
    date::{DAY, civil_from_days},
    serial::ascii_digit,
};

/// A tokencode: 1 to 8 decimal digits, a secret for as long as its interval lasts.
///
/// It has no `Display` on purpose: a code reaches a screen only where [`Tokencode::expose`] is
/// written, and never a log by accident.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Tokencode {
    digits: [u8; 8],
    length: u8,
}

impl Tokencode {
    /// The digits, leading zeros included.
    #[must_use]
    pub fn expose(&self) -> &str {
        let digits = self.digits.get(..self.length.into()).unwrap_or_default();
        core::str::from_utf8(digits).unwrap_or_default()
    }
}

impl fmt::Debug for Tokencode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokencode(…)")
    }
}

/// The code of the interval that holds `time`, in Unix seconds.
pub(crate) fn compute(
    seed: &Seed,
    serial: &Serial,
    interval: Interval,
    digits: Digits,
    time: u64,
    pin: Option<&Pin>,
) -> Tokencode {
    let clock = Clock::at(time);
    let (time, [s1, s2, s3, s4]) = (clock.bcd(interval), serial.bcd());
    let mut key = Zeroizing::new(*seed.expose());
    for length in [2, 3, 4, 5, 8] {
        let mut block = [
            0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, // the time goes here
            s1, s2, s3, s4, 0xBB, 0xBB, 0xBB, 0xBB,
        ];
        for (to, from) in block.iter_mut().zip(time.iter().take(length)) {
            *to = *from;
        }
        *key = block::encrypt(&key, &block);
    }
    // The key now holds the codes of four consecutive intervals.
    let (words, _) = key.as_chunks::<4>();
    let word = words.get(clock.index(interval)).copied().unwrap_or_default();
    decimal(u32::from_be_bytes(word), digits, pin)
}

/// The lowest digits of `value`, each with the PIN's digit in that place added without carry.
fn decimal(mut value: u32, length: Digits, pin: Option<&Pin>) -> Tokencode {
    let mut pin = pin.map(Pin::expose).unwrap_or_default().bytes().rev();
    let mut code = Tokencode { digits: [0; 8], length: length.get() };
    for digit in code.digits.iter_mut().take(length.get().into()).rev() {
        let added = (value % 10) as u8;
        let added = added.saturating_add(pin.next().unwrap_or_default() & 15);
        *digit = ascii_digit(added % 10);
        value /= 10;
    }
    code
}

/// A Unix time taken apart.
struct Clock {
    year: i64,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl Clock {
    fn at(time: u64) -> Self {
        // At most 2^64 / 86400: fits.
        let (year, month, day) = civil_from_days((time / DAY) as i64);
        let second = time % DAY;
        Self {
            year,
            month,
            day,
            hour: (second / 3600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
        }
    }

    /// The start of the block of four codes. Years count modulo 10000.
    fn bcd(&self, interval: Interval) -> [u8; 8] {
        let minute = match interval {
            Interval::Thirty => self.minute & !1,
            Interval::Sixty => self.minute & !3,
        };
        let (century, year) = ((self.year / 100 % 100) as u8, (self.year % 100) as u8);
        [century, year, self.month, self.day, self.hour, minute, 0, 0]
            .map(|n| ((n / 10) << 4) | (n % 10))
    }

    /// Which of the four codes it is.
    const fn index(&self, interval: Interval) -> usize {
        let index = match interval {
            Interval::Thirty => ((self.minute & 1) << 1) | (self.second / 30),
            Interval::Sixty => self.minute & 3,
        };
        index as usize
    }
}
