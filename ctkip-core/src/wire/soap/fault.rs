//! SOAP faults: those a server of this dialect answers with, and how a client boils one down.

use super::{HEAD, TAIL};
use crate::ClientError;
use alloc::format;
use alloc::string::String;

/// A fault a server answers with. Its text is all the client learns, whatever the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    exception: &'static str,
}

/// Every refusal of an activation code: wrong, used, expired, revoked, throttled or missing.
pub(crate) const INVALID_CODE: Fault = Fault {
    exception: "com.rsa.command.exception.InsufficientPrivilegeException: Invalid authorization code.",
};

/// Everything else that a server of this dialect refuses within the protocol.
pub(crate) const NOT_PROCESSED: Fault =
    Fault { exception: "com.rsa.ctkip.exception.CTKIPException: Failed to process request." };

impl Fault {
    /// The whole envelope. The exception stands in it twice, as Java prints a nested one.
    pub(crate) fn envelope(self) -> String {
        let exception = self.exception;
        format!(
            "{HEAD}    <soapenv:Fault>\n      <faultcode>soapenv:Server.userException</faultcode>\n      <faultstring>{LEAD}{exception};{NESTED} \n\t{exception}</faultstring>\n    </soapenv:Fault>\n{TAIL}"
        )
    }
}

const LEAD: &str =
    "java.rmi.RemoteException: The CT-KIP Web Service failed to process a client request. ";
const NESTED: &str = "nested exception is:";

/// The most of a fault's text that an error keeps, in characters.
const MOST: usize = 4096;

/// A fault as an error: the reason without the Java around it, and the whole.
pub(super) fn boil_down(code: &str, text: &str) -> ClientError {
    let cause = text.strip_prefix(LEAD).unwrap_or(text);
    let cause = cause.rsplit(NESTED).next().unwrap_or(cause).trim();
    // What is left begins with the class of the exception.
    let reason = match cause.split_once(": ") {
        Some((class, reason)) if is_class(class) => reason.trim(),
        _ => cause,
    };
    let reason = if reason.is_empty() { code } else { reason };
    let detail: String = format!("{code}: {text}").chars().take(MOST).collect();
    ClientError::Fault { message: reason.chars().take(MOST).collect(), detail }
}

fn is_class(text: &str) -> bool {
    let java = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$');
    text.contains('.') && text.chars().all(java)
}
