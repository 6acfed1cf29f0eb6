//! A server as a process of its own, with secrets in it.

use crate::Outcome;
use crate::serve::{Log, REGION};
use core::net::SocketAddr;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use strongroom_tests::{Client, base64};

/// The length of each value, in bytes.
const VALUE: usize = 256;

/// Killed when dropped.
pub(crate) struct Site {
    child: Child,
    client: Client,
    paths: Vec<String>,
}

impl Site {
    pub(crate) fn start(folder: &Path, log: Log, secrets: usize) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--serve").arg(folder).stdout(Stdio::piped());
        if log == Log::Discarded {
            command.arg("--discard");
        }
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let told = line.trim().split_once(' ').ok_or("the server did not start");
        let client = told.and_then(|(address, token)| {
            Ok(Client {
                address: address.parse().map_err(|_| "the server told no address")?,
                token: Some(token.to_owned()),
                organisation: None,
                region: REGION.to_owned(),
                kms_key: String::new(),
            })
        });
        let client = match client {
            Ok(client) => client,
            Err(error) => {
                child.kill()?;
                return Err(error.into());
            }
        };
        let mut site = Self { child, client, paths: Vec::new() };
        let key = site.client.post(site.client.keys(), &json!({"name": "bench"})).ok(201);
        site.client.kms_key = key["identity"].as_str().ok_or("the key has no identity")?.to_owned();
        for number in 0..secrets {
            let path = format!("/bench/{}/{number}", number % 10);
            let _ = site.client.create(&path, value(&path)).ok(201);
            site.paths.push(path);
        }
        Ok(site)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.client.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn reveals(&self) -> Vec<Vec<u8>> {
        self.each(|path| (format!("{}/value", self.client.secret(path)), json!({})))
    }

    pub(crate) fn puts(&self) -> Vec<Vec<u8>> {
        let body = |path: &str| json!({"secretString": base64(value(path))});
        self.each(|path| (format!("{}/versions", self.client.secret(path)), body(path)))
    }

    fn each(&self, request: impl Fn(&str) -> (String, Value)) -> Vec<Vec<u8>> {
        let bytes = |path: &String| {
            let (target, body) = request(path);
            self.client.request("POST", target).header("Connection", "keep-alive").json(&body).bytes()
        };
        self.paths.iter().map(bytes).collect()
    }
}

fn value(path: &str) -> Vec<u8> {
    path.bytes().cycle().take(VALUE).collect()
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
