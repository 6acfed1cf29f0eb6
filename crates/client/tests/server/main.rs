//! The client against the real server.
#![expect(clippy::expect_used, reason = "these are tests")]

mod access;
mod audit;
mod keys;
mod many;
mod secrets;
mod tokens;

use strongroom_client::{Client, ClientBuilder, Credentials, Plain, Sensitive, Value};
use strongroom_tests::{DevEnv, Server};
use tempfile::TempDir;

/// A fresh server, and its owner.
struct Fixture {
    server: Server,
    client: Client,
    _data: TempDir,
}

impl Fixture {
    fn start() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let server = Server::dev(data.path());
        let token = Credentials::Token(Sensitive::from(server.dev_env().token.as_str()));
        let client = builder(server.dev_env()).credentials(token).build().expect("a client");
        Self { server, client, _data: data }
    }

    fn env(&self) -> &DevEnv {
        self.server.dev_env()
    }

    fn builder(&self) -> ClientBuilder {
        builder(self.env())
    }

    fn secrets(&self) -> strongroom_client::Secrets {
        self.client.secrets(&self.env().region)
    }

    /// A secret at each of these paths; the value is the path.
    async fn fill(&self, paths: &[&str]) {
        for path in paths {
            let secret = strongroom_client::NewSecret::new(*path, &self.env().kms_key, text(path));
            self.secrets().create(&secret).await.expect("a new secret");
        }
    }
}

fn builder(env: &DevEnv) -> ClientBuilder {
    Client::builder(&env.address).organisation(&env.organisation)
}

fn text(text: &str) -> Plain {
    Plain::from(text.to_owned())
}

/// The bytes of a single value.
fn single(value: &Value) -> &[u8] {
    value.single().expect("a single value").expose()
}
