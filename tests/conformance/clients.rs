//! How clients head their requests, for rows in which they differ in nothing but that.

/// Who sends a request.
#[derive(Clone, Copy)]
pub(crate) enum Sender {
    /// The Go SDK, with a personal access token.
    Sdk,
    /// The CLI, with an access token.
    Cli,
    /// The Terraform provider, with a personal access token.
    Terraform,
    /// A sample for curl.
    Sample,
}

pub(crate) use Sender::{Cli, Sample, Sdk, Terraform};

impl Sender {
    fn agent(self) -> &'static str {
        match self {
            Self::Sdk => "thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)",
            Self::Cli => "thalassa-cloud-cli/1.0.0",
            Self::Terraform => "thalassa-cloud/terraform-provider-thalassa",
            Self::Sample => "curl/8.5.0",
        }
    }

    fn scheme(self) -> &'static str {
        match self {
            Self::Sdk | Self::Terraform => "Token",
            Self::Cli | Self::Sample => "Bearer",
        }
    }
}

/// A request as it goes over the wire. `what`: method and URL. `body`: empty for none.
pub(crate) fn request(sender: Sender, what: &str, body: &str) -> String {
    let (agent, scheme) = (sender.agent(), sender.scheme());
    let is_typed = !body.is_empty();
    let mut lines = vec![format!("{what} HTTP/1.1"), "Host: {host}".to_owned(), format!("User-Agent: {agent}")];
    let mut add = |line: &str| lines.push(line.to_owned());
    let authorization = format!("Authorization: {scheme} {{token}}");
    if matches!(sender, Sample) {
        add("Accept: */*");
        add(&authorization);
        add("X-Organisation-Identity: {organisation}");
        if is_typed {
            add("Content-Type: application/json");
            add("Content-Length: {length}");
        }
    } else {
        // Go tells the length of nothing where the method is one that has a body.
        if is_typed || what.starts_with("POST ") || what.starts_with("PATCH ") {
            add("Content-Length: {length}");
        }
        add("Accept: application/json");
        add(&authorization);
        if is_typed {
            add("Content-Type: application/json");
        }
        add("X-Organisation-Identity: {organisation}");
        add("Accept-Encoding: gzip");
    }
    format!("{}\n\n{body}", lines.join("\n"))
}

#[test]
fn requests_are_headed_as_in_the_transcripts() {
    assert_eq!(
        request(Sdk, "POST /x", "{}"),
        "POST /x HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{}"
    );
    assert_eq!(
        request(Cli, "POST /x", ""),
        "POST /x HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

"
    );
    assert_eq!(
        request(Sample, "POST /x", "{}"),
        "POST /x HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Content-Type: application/json
Content-Length: {length}

{}"
    );
    assert!(!request(Terraform, "DELETE /x", "").contains("Content-Length"));
}
