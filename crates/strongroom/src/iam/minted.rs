//! A credential is never more than the one that makes it.

use crate::directory::Scene;
use crate::error::{Code, Error};
use strongroom_domain::directory::{Expiry, Scopes};

impl Scene<'_> {
    /// Refuses to make, or to open, a credential with scopes that the caller's own lacks; and, for a service account, one that ends
    /// later than the caller's own does.
    pub(crate) fn check_minted(&self, scopes: &Scopes, expires: Option<&Expiry>) -> Result<(), Error> {
        let escalation = |message: String| Err(Error::new(Code::Escalation, message));
        let (wanted, held) = (scopes.allowed(), self.access.narrowed(self.session.caller().scopes));
        for (is_wanted, is_held, scope) in
            [(wanted.read, held.read, "api:read"), (wanted.write, held.write, "api:write")]
        {
            if is_wanted && !is_held {
                return escalation(format!(
                    "It would have the scope `{scope}`, which the credential that you use lacks; name only scopes that this one has."
                ));
            }
        }
        match self.access.end() {
            Some(end) if expires.is_none_or(|expiry| expiry.at > end) => escalation(format!(
                "`expiresAt`: the credential that you use ends at {}; name that time, or an earlier one.",
                end.to_rfc3339()
            )),
            _ => Ok(()),
        }
    }
}
