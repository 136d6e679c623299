//! A token in a template, with its seed in clear: what a CT-KIP client may hand to
//! `stoken export --random --sdtid --template` (docs/spec/securid-token.md section 1.3).

use std::{format, string::String};

use zeroize::Zeroizing;

use super::{
    NOT_KNOWN, document,
    layout::{clean, escape},
    template::Template,
    value::base64,
    values::{Defaults, Values},
    write::death,
};
use crate::{Error, Flags, Token};

/// Writes a token as a template, for `stoken` to encrypt. The seed is in clear, but only in Seed:
/// unlike templates of other clients it has no Secret, which would be copied into the result.
/// PIN settings are spelled so that `stoken` heeds them.
///
/// # Errors
/// [`Error::ExpiryRange`] for 2000-01-01, which no reader takes.
pub fn write_template(token: &Token) -> Result<Zeroizing<String>, Error> {
    let (flags, labels) = (token.flags, &token.labels);
    let bit = |mask| String::from(if flags.contains(mask) { "1" } else { "0" });
    let label = |text: &str, unknown: &str| match text.trim_ascii() {
        "" => unknown.into(),
        text => clean(text),
    };
    let header = [
        ("Origin", label(&labels.issuer, NOT_KNOWN)),
        ("DefPinType", format!("{}", labels.pin_type)),
        ("DefAddPIN", bit(Flags::ADD_PIN)),
        ("DefLocalPIN", bit(Flags::LOCAL_PIN)),
        ("DefDigits", format!("{}", flags.digits().get())),
        ("DefInterval", format!("{}", flags.interval().seconds())),
        ("DefAlg", bit(Flags::AES)),
        ("DefMode", bit(Flags::MODE)),
        ("DefTimeDerivedSeeds", bit(Flags::TIME_DERIVED)),
        ("DefAppDerivedSeeds", bit(Flags::APP_DERIVED)),
    ];
    let seed = Zeroizing::new(base64(token.seed.expose()));
    let values = [
        ("SN", token.serial.as_str().into()),
        ("Seed", format!("={}", *seed)),
        ("UserFirstName", label(&labels.first_name, " ")),
        ("UserLastName", label(&labels.last_name, " ")),
        ("UserLogin", label(&labels.user, " ")),
        ("Death", death(token.expiry)?),
        ("DeviceSerialNumber", label(&labels.device_id, " ")),
        ("Nickname", label(&labels.nickname, " ")),
    ];
    let mut xml = Zeroizing::new(String::from("<?xml version=\"1.0\"?>\n<TKNBatch>\n"));
    for (section, elements) in [("TKNHeader", &header[..]), ("TKN", &values[..])] {
        xml.push_str(&format!("  <{section}>\n"));
        for (name, value) in elements {
            xml.push_str(&format!("    <{name}>{}</{name}>\n", escape(value)));
        }
        xml.push_str(&format!("  </{section}>\n"));
    }
    xml.push_str("</TKNBatch>\n");
    Ok(xml)
}

/// Reads a token out of a template that has SN, Seed (one character and base64 of the plain seed)
/// and Death. Other values have a writer's defaults: 8 digits, 60 seconds, AddPIN.
///
/// # Errors
/// [`Error::Xml`] if it is not well-formed or has another root, [`Error::Multiple`] if it has
/// several tokens, [`Error::Element`] for what is missing or malformed.
pub fn read_template(text: &str) -> Result<Token, Error> {
    let document = document::parse(text)?;
    let template = Template::new(Some(&document))?;
    let values = Values { lookup: template.lookup(), defaults: Defaults::Writer };
    let missing = Error::Element { element: "Seed", problem: "is missing" };
    let seed = template.seed()?.ok_or(missing)?;
    Ok(values.describe()?(seed))
}
