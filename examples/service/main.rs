//! A service that signs webhooks: it makes a secret for each receiver and gives out signatures, never the secret. The secrets are in
//! Strongroom, inside this process, on SQLite.
//!
//! `service FOLDER ADDRESS`: `PUT /hooks/NAME` makes a secret, or the next version of it; `POST /hooks/NAME/signature` answers the
//! HMAC-SHA-256 of the body under its current version. SIGTERM stops it, and at the next start everything is there again.

mod hooks;

use bytes::Bytes;
use hooks::Hooks;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use strongroom::Code;
use strongroom::embed::NoCallers;
use strongroom_examples::{Failure, Site, serve, stop_signal};
use tokio::net::TcpListener;

/// The most bytes that are signed at once.
const MAX_BODY: usize = 64 * 1024;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(folder), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err("usage: service FOLDER ADDRESS".into());
    };
    let address = address.into_string().map_err(|_| "the address is no text")?;
    let stop = stop_signal()?;
    let site = Arc::new(Site::open(&PathBuf::from(folder), |_| Arc::new(NoCallers)).await?);
    let hooks = Arc::new(Hooks::open(Arc::clone(&site)).await?);
    let listener = TcpListener::bind(address).await?;
    writeln!(std::io::stdout(), "listening on {}", listener.local_addr()?)?;

    let answer = move |request, _| {
        let hooks = Arc::clone(&hooks);
        async move { answer(&hooks, request).await }
    };
    tokio::select! {
        () = serve(listener, answer, stop) => {}
        () = site.keep_house() => {}
    }
    site.close().await;
    Ok(())
}

async fn answer(hooks: &Hooks, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let segments: Vec<&str> = parts.uri.path().split('/').skip(1).collect();
    let done = match (&parts.method, &segments[..]) {
        (&Method::PUT, ["hooks", name]) => hooks.renew(name).await.map(|version| format!("version {version}\n")),
        (&Method::POST, ["hooks", name, "signature"]) => match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => hooks.sign(name, &body.to_bytes()).await.map(|signature| format!("{signature}\n")),
            Err(_) => return text(StatusCode::BAD_REQUEST, "the body is longer than 64 KiB, or was cut off\n"),
        },
        _ => return text(StatusCode::NOT_FOUND, "there is PUT /hooks/NAME and POST /hooks/NAME/signature\n"),
    };
    done.map_or_else(|error| refused(&error), |done| text(StatusCode::OK, done))
}

/// The engine's messages are for those who know of paths and keys; strangers hear only what concerns them.
fn refused(error: &strongroom::Error) -> Response<Full<Bytes>> {
    match error.code() {
        Code::SecretNotFound | Code::NoActiveVersion => text(StatusCode::NOT_FOUND, "there is no such hook\n"),
        Code::InvalidPath => text(StatusCode::BAD_REQUEST, "a name has letters, digits, `_`, `-`, `.` and `+`\n"),
        _ => text(StatusCode::SERVICE_UNAVAILABLE, "try again later\n"),
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
}
