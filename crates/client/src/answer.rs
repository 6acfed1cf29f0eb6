use crate::Error;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// What the server answered to a call that it did. Its body is wiped when it is dropped.
pub struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// The HTTP status: 200 to 299, or 304.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// A header, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    /// [`BadAnswer`](crate::ErrorKind::BadAnswer) when it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        // What the parser says could repeat a value.
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!(
                "the server's answer is not what this call answers, at line {} column {}; is it a Strongroom server, and of this release?",
                error.line(),
                error.column()
            );
            Error::bad_answer(message)
        })
    }

    /// The query of the next page's URL.
    pub(crate) fn next(&self) -> Option<&str> {
        self.headers.get_all("link").iter().filter_map(|value| value.to_str().ok()).find_map(next_of)
    }
}

/// From a header `Link: <URL>; rel="next"`.
fn next_of(link: &str) -> Option<&str> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let is_next = parameters.split(';').any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
    if is_next { target.split_once('?').map(|(_, query)| query) } else { None }
}

#[cfg(test)]
mod tests {
    use super::next_of;

    #[test]
    fn links_to_the_next_page() {
        for (link, query) in [
            ("</v1/secrets/r/secrets?path=/&limit=1&cursor=x>; rel=\"next\"", Some("path=/&limit=1&cursor=x")),
            ("<https://h/v1/audit?cursor=x>; rel=next", Some("cursor=x")),
            ("</v1/audit?cursor=x>; rel=\"prev\"", None),
            ("</v1/audit>; rel=\"next\"", None),
            ("/v1/audit?cursor=x; rel=next", None),
            ("", None),
        ] {
            assert_eq!(next_of(link), query, "{link}");
        }
    }
}
