//! `CT-KIPTrigger`.

use super::decoder::{ANY, Decoder, required};
use super::value::content;
use super::xsd::WHITE;
use super::{Element, fault};
use crate::message::{InitializationTrigger, Platform, Trigger, Version};
use crate::{Departure, MessageError, MessageErrorKind};
use alloc::string::String;

impl Decoder<'_> {
    pub(super) fn trigger(&mut self, root: Element<'_, '_>) -> Result<Trigger, MessageError> {
        let [version] = self.attributes(root, "CT-KIPTrigger", ["Version"])?;
        let version = match version {
            Some("1.0") => Some(Version::V1_0),
            Some(_) => return Err(fault(MessageErrorKind::Version, "Version")),
            None => {
                self.depart(Departure::TriggerWithoutVersion, "Version")?;
                None
            }
        };
        let names = ["InitializationTrigger", ANY];
        let [initialization, other] = self.children(root, "CT-KIPTrigger", names)?;
        match (initialization, other) {
            (None, None) => {
                return Err(fault(MessageErrorKind::Missing, "InitializationTrigger"));
            }
            (Some(_), Some(_)) => self.depart(Departure::ForeignContent, "CT-KIPTrigger")?,
            (Some(_), None) | (None, Some(_)) => {}
        }
        let initialization = initialization.map(|trigger| self.initialization(trigger));
        Ok(Trigger { version, initialization: initialization.transpose()? })
    }

    fn initialization(
        &mut self,
        trigger: Element<'_, '_>,
    ) -> Result<InitializationTrigger, MessageError> {
        let [id] = self.attributes(trigger, "InitializationTrigger", ["id"])?;
        if id.is_some() {
            self.depart(Departure::TriggerId, "InitializationTrigger")?;
        }
        let [token_id, key_id, platform, nonce, url, _open] = self.children(
            trigger,
            "InitializationTrigger",
            ["TokenID", "KeyID", "TokenPlatformInfo", "TriggerNonce", "CT-KIPURL", ANY],
        )?;
        Ok(InitializationTrigger {
            token_id: token_id.map(|id| self.key_id(id, "TokenID")).transpose()?,
            key_id: key_id.map(|id| self.key_id(id, "KeyID")).transpose()?,
            platform: platform.map(|platform| self.platform(platform)).transpose()?,
            trigger_nonce: self.nonce(required(nonce, "TriggerNonce")?, "TriggerNonce")?,
            url: url.map(|url| self.url(url)).transpose()?,
        })
    }

    fn platform(
        &mut self,
        platform: Element<'_, '_>,
    ) -> Result<(Option<Platform>, Option<Platform>), MessageError> {
        let names = ["KeyLocation", "AlgorithmLocation"];
        let [key, algorithm] = self.attributes(platform, "TokenPlatformInfo", names)?;
        if !content(platform, "TokenPlatformInfo")?.is_empty() {
            return Err(fault(MessageErrorKind::Unexpected, "TokenPlatformInfo"));
        }
        let location = |word: Option<&str>| {
            word.map(|word| {
                let platform = Platform::from_word(word);
                platform.ok_or_else(|| fault(MessageErrorKind::Value, "TokenPlatformInfo"))
            })
            .transpose()
        };
        Ok((location(key)?, location(algorithm)?))
    }

    /// Whoever made the trigger chose the URL (R129): only an absolute one, of a scheme that the
    /// policy knows, to a host that reads as what it is, without a user name before it.
    fn url(&mut self, url: Element<'_, '_>) -> Result<String, MessageError> {
        let text = self.text(url, "CT-KIPURL")?.trim_matches(WHITE);
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let known = |known: &&str| known.eq_ignore_ascii_case(scheme);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '@');
        if !self.profile.reading.url_schemes.iter().any(known)
            || authority.is_empty()
            || authority.starts_with(':')
            || authority.contains(odd)
        {
            return Err(fault(MessageErrorKind::Value, "CT-KIPURL"));
        }
        Ok(String::from(text))
    }
}
