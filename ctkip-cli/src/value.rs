//! Values that several commands take on their command line, as clap reads them.

use ctkip_token::ExpiryDay;

/// The size of an RSA key.
pub(crate) fn bits(text: &str) -> Result<usize, String> {
    match text {
        "1024" => Ok(1024),
        "2048" => Ok(2048),
        "3072" => Ok(3072),
        _ => Err("1024, 2048 or 3072".into()),
    }
}

/// Seconds between two tokencodes.
pub(crate) fn interval(text: &str) -> Result<u32, String> {
    match text {
        "30" => Ok(30),
        "60" => Ok(60),
        _ => Err("30 or 60".into()),
    }
}

/// The last day of a token.
pub(crate) fn date(text: &str) -> Result<ExpiryDay, String> {
    ExpiryDay::from_date(text).map_err(|error| error.to_string())
}
