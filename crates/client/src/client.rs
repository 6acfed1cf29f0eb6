use crate::builder::header;
use crate::transport::Transport;
use crate::{Answer, Audit, Call, ClientBuilder, Error, Iam, Kms, MyAccount, Projects, Regions, Secrets};
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A client of one server, as one caller. Clones are cheap and share connections and access tokens.
#[derive(Clone)]
pub struct Client {
    pub(crate) transport: Arc<Transport>,
    pub(crate) organisation: Option<HeaderValue>,
    pub(crate) project: Option<HeaderValue>,
}

impl Client {
    /// Begins a client of the server at this address: `https://…`, or `http://…` on this machine. It may have a path, under which a
    /// proxy serves it.
    pub fn builder(address: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(address.into())
    }

    /// The same client in another organisation, by identity or slug; `None`: the only one of the credentials.
    ///
    /// # Errors
    /// [`BadInput`](crate::ErrorKind::BadInput) for what no name is.
    pub fn in_organisation(&self, organisation: Option<&str>) -> Result<Self, Error> {
        let organisation = organisation.map(|name| header(name, "the organisation")).transpose()?;
        Ok(Self { organisation, ..self.clone() })
    }

    /// The same client in another project, by identity or slug; `None`: in none.
    ///
    /// # Errors
    /// [`BadInput`](crate::ErrorKind::BadInput) for what no name is.
    pub fn in_project(&self, project: Option<&str>) -> Result<Self, Error> {
        let project = project.map(|name| header(name, "the project")).transpose()?;
        Ok(Self { project, ..self.clone() })
    }

    /// The server's address.
    #[must_use]
    pub fn address(&self) -> &str {
        self.transport.base.as_str()
    }

    /// Secrets of a region, by its identity or slug.
    #[must_use]
    pub fn secrets(&self, region: impl Into<String>) -> Secrets {
        Secrets::new(self, region.into())
    }

    /// KMS keys of a region, by its identity or slug.
    #[must_use]
    pub fn kms(&self, region: impl Into<String>) -> Kms {
        Kms::new(self, region.into())
    }

    /// Who may do what: roles, people, workloads.
    #[must_use]
    pub fn iam(&self) -> Iam {
        Iam::new(self)
    }

    /// Projects.
    #[must_use]
    pub fn projects(&self) -> Projects {
        Projects::new(self)
    }

    /// The audit log.
    #[must_use]
    pub fn audit(&self) -> Audit {
        Audit::new(self)
    }

    /// Who calls.
    #[must_use]
    pub fn me(&self) -> MyAccount {
        MyAccount::new(self)
    }

    /// Regions, and how the server is.
    #[must_use]
    pub fn regions(&self) -> Regions {
        Regions::new(self)
    }

    /// Sends a call, and reads its whole answer.
    ///
    /// # Errors
    /// Any. The code of a refusal is one of those in the server's documentation of the HTTP API.
    pub async fn send(&self, call: Call) -> Result<Answer, Error> {
        self.transport.send(self, &call).await
    }

    /// Sends a call, and reads its answer as JSON.
    ///
    /// # Errors
    /// Any, and [`BadAnswer`](crate::ErrorKind::BadAnswer) for an answer that isn't of this type.
    pub async fn send_json<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        self.send(call).await?.json()
    }

    /// Reads what is at the URL with these segments.
    ///
    /// # Errors
    /// As [`send_json`](Self::send_json).
    ///
    /// ```no_run
    /// # async fn example(client: strongroom_client::Client) -> Result<(), strongroom_client::Error> {
    /// let regions: Vec<strongroom_client::api::Region> = client.get_json(&["v1", "regions"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_json<T: DeserializeOwned>(&self, segments: &[&str]) -> Result<T, Error> {
        self.send_json(Call::new(Method::GET, segments).list()).await
    }

    /// Sends a body and reads the answer.
    pub(crate) async fn write<T: DeserializeOwned>(
        &self,
        method: Method,
        segments: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.send_json(Call::new(method, segments).json(body)).await
    }

    /// Removes what is at the URL.
    pub(crate) async fn remove(&self, segments: &[&str]) -> Result<(), Error> {
        self.send(Call::new(Method::DELETE, segments)).await.map(drop)
    }
}
