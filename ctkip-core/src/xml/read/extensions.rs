//! Extensions, and the OTP configuration.

use super::Element;
use super::decoder::{Decoder, TYPE, Vocabulary, required};
use super::xsd::{boolean, is_positive_integer};
use crate::message::{Extension, ExtensionKind, OtpConfiguration, OtpMode};
use crate::{Departure, MessageError, UntypedExtension};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

/// The message an extension stands in, which decides what its type means there (R100).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum In {
    ClientHello,
    ServerHello,
    ClientNonce,
    ServerFinished,
}

const OTP: Vocabulary = Vocabulary::OtpConfiguration;

impl Decoder<'_> {
    pub(super) fn extensions(
        &mut self,
        extensions: Option<Element<'_, '_>>,
        message: In,
    ) -> Result<Vec<Extension>, MessageError> {
        let Some(parent) = extensions else { return Ok(Vec::new()) };
        let [] = self.attributes(parent, "Extensions", [])?;
        let elements = self.repeated(parent, "Extensions", "Extension")?;
        if elements.is_empty() {
            self.depart(Departure::EmptyExtensions, "Extensions")?;
        }
        let mut untyped_is_otp = message == In::ServerFinished
            && self.profile.untyped_extension == UntypedExtension::OtpConfiguration;
        let mut extensions = Vec::with_capacity(elements.len());
        for element in elements {
            let [critical, name] = self.attributes(element, "Extension", ["Critical", TYPE])?;
            let critical = critical.map(|critical| boolean(critical, "Critical")).transpose()?;
            let kind = match name {
                Some(name) => self.typed(element, name, message)?,
                None => {
                    self.depart(Departure::OpaqueExtension, "Extension")?;
                    // Only the first counts.
                    self.untyped(element, mem::take(&mut untyped_is_otp))?
                }
            };
            extensions.push(Extension { critical: critical.unwrap_or(false), kind });
        }
        Ok(extensions)
    }

    /// An extension by its `xsi:type`. One that another specification defines, or that does not
    /// belong in this message, is unknown, which is no departure (R095, R100).
    fn typed(
        &mut self,
        element: Element<'_, '_>,
        name: &str,
        message: In,
    ) -> Result<ExtensionKind, MessageError> {
        let (namespace, local) = match element.resolve(name) {
            Some((Some(namespace), local)) => (namespace, local),
            undefined => {
                self.depart(Departure::OpaqueExtension, "Extension")?;
                let name = undefined.map_or(name, |(_, local)| local);
                return Ok(ExtensionKind::Unknown(String::from(name)));
            }
        };
        let unknown = || ExtensionKind::Unknown(format!("{{{namespace}}}{local}"));
        if !self.profile.reading.namespaces.iter().any(|ours| ours.uri() == namespace) {
            return Ok(unknown());
        }
        match (local, message) {
            ("ClientInfoType", _) => Ok(ExtensionKind::ClientInfo(self.data(element)?)),
            ("ServerInfoType", In::ServerHello | In::ClientNonce) => {
                Ok(ExtensionKind::ServerInfo(self.data(element)?))
            }
            ("OTPKeyConfigurationDataType", In::ServerFinished) => self.otp_configuration(element),
            ("ServerInfoType" | "OTPKeyConfigurationDataType", _) => Ok(unknown()),
            _ => {
                self.depart(Departure::OpaqueExtension, "Extension")?;
                Ok(unknown())
            }
        }
    }

    fn untyped(
        &mut self,
        element: Element<'_, '_>,
        is_otp: bool,
    ) -> Result<ExtensionKind, MessageError> {
        if is_otp {
            return self.otp_configuration(element);
        }
        let mut data = None;
        // Elsewhere nobody can say what it holds.
        if self.profile.echo_server_nonce {
            data = element.children().find(|child| child.local() == "Data");
        }
        let data = data.map(|data| self.octets(data, "Data")).transpose()?;
        Ok(ExtensionKind::Untyped(data))
    }

    fn data(&mut self, element: Element<'_, '_>) -> Result<Vec<u8>, MessageError> {
        let [data] = self.children(element, "Extension", ["Data"])?;
        self.octets(required(data, "Data")?, "Data")
    }

    fn otp_configuration(
        &mut self,
        element: Element<'_, '_>,
    ) -> Result<ExtensionKind, MessageError> {
        let names = ["OTPFormat", "OTPLength", "OTPMode"];
        let [format, length, mode] = self.children_of(OTP, element, "Extension", names)?;
        let formats = ["Decimal", "Hexadecimal", "Alphanumeric", "Binary"];
        Ok(ExtensionKind::OtpConfiguration(OtpConfiguration {
            format: self.otp_value(format, "OTPFormat", |text| formats.contains(&text))?,
            length: self.otp_value(length, "OTPLength", is_positive_integer)?,
            modes: mode.map(|mode| self.otp_modes(mode)).transpose()?.unwrap_or_default(),
        }))
    }

    fn otp_value(
        &mut self,
        value: Option<Element<'_, '_>>,
        place: &'static str,
        is_of_its_type: impl Fn(&str) -> bool,
    ) -> Result<Option<String>, MessageError> {
        let Some(value) = value else {
            self.depart(Departure::OddValue, place)?;
            return Ok(None);
        };
        let [] = self.attributes_of(OTP, value, place, [])?;
        if value.children().next().is_some() || !is_of_its_type(value.text()) {
            self.depart(Departure::OddValue, place)?;
        }
        Ok(Some(String::from(value.text())))
    }

    fn otp_modes(&mut self, mode: Element<'_, '_>) -> Result<Vec<OtpMode>, MessageError> {
        let [] = self.attributes_of(OTP, mode, "OTPMode", [])?;
        if mode.has_text() {
            self.unexpected(OTP, "OTPMode")?;
        }
        let mut modes = Vec::new();
        for child in mode.children() {
            if !self.is_own(child, "OTPMode")? {
                self.open_position(child, "OTPMode")?;
                let namespace = child.namespace().unwrap_or_default();
                modes.push(OtpMode::Foreign(format!("{{{namespace}}}{}", child.local())));
                continue;
            }
            match child.local() {
                "Time" => modes.push(OtpMode::Time(self.time_interval(child)?)),
                "Counter" => modes.push(OtpMode::Counter),
                "Challenge" => modes.push(OtpMode::Challenge),
                _ => self.unexpected(OTP, "OTPMode")?,
            }
        }
        if modes.is_empty() {
            self.depart(Departure::OddValue, "OTPMode")?;
        }
        Ok(modes)
    }

    fn time_interval(&mut self, time: Element<'_, '_>) -> Result<Option<String>, MessageError> {
        let [interval] = self.attributes_of(OTP, time, "Time", ["TimeInterval"])?;
        let empty = time.children().next().is_none() && !time.has_text();
        if !empty || !interval.is_none_or(is_positive_integer) {
            self.depart(Departure::OddValue, "Time")?;
        }
        Ok(interval.map(String::from))
    }
}
