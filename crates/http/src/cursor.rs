//! Cursors: where the next page begins, opaque to callers.

use crate::call::Call;
use crate::failure::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What the cursor in the query parameter `name` says.
pub(crate) fn read(name: &str, cursor: &str) -> Result<String, Failure> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| unknown(name))?;
    String::from_utf8(bytes).ok().filter(|key| !key.is_empty()).ok_or_else(|| unknown(name))
}

/// The cursor that says this.
pub(crate) fn write(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// A cursor that we didn't give.
pub(crate) fn unknown(name: &str) -> Failure {
    Failure::invalid(format!(
        "The query parameter `{name}` is not a cursor; take it from the `Link` header of the page before."
    ))
}

impl Call {
    /// The URL of the page that follows `key`, everything else being as in this request.
    pub(crate) fn next_page(&self, name: &str, key: &str) -> String {
        let query = self.query.with(name, &write(key));
        self.address(&format!("{}?{query}", self.uri.path()))
    }

    /// The same for a cursor that takes the place of another parameter.
    pub(crate) fn next_link(&self, name: &str, cursor: &str, instead_of: &str) -> String {
        let query = self.query.without(instead_of).with(name, cursor);
        self.address(&format!("{}?{query}", self.uri.path()))
    }
}
