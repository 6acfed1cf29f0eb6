//! Strongroom's HTTP API as a part of a server of one's own: below `/vault` it answers, elsewhere the program itself. Who calls is for
//! the program to say: its own users show its own tokens, and what each may do there is written as rules.
//!
//! `mounted FOLDER ADDRESS`, with the tokens of the two users in `OWNER_TOKEN` and `READER_TOKEN`. Then
//! `curl -H "Authorization: Bearer $READER_TOKEN" http://ADDRESS/vault/v1/secrets/embedded/secrets?pathPrefix=/` is the API's.

mod users;

use bytes::Bytes;
use core::net::IpAddr;
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use strongroom_examples::{Failure, Site, serve, stop_signal};
use strongroom_http::{Api, ResponseBody, Settings};
use strongroom_system::{SystemClock, SystemIds};
use tokio::net::TcpListener;
use users::Users;

/// Where the API is mounted.
const MOUNT: &str = "/vault";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(folder), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err("usage: mounted FOLDER ADDRESS".into());
    };
    let address = address.into_string().map_err(|_| "the address is no text")?;
    let (owner, reader) = (std::env::var("OWNER_TOKEN")?, std::env::var("READER_TOKEN")?);
    let stop = stop_signal()?;
    let users = |organisation| Arc::new(Users::new(organisation, &owner, &reader)) as _;
    let site = Site::open(&PathBuf::from(folder), users).await?;
    let engine = site.room.shared_engine();
    let settings = Settings { base_path: MOUNT.parse()?, ..Settings::default() };
    let api = Api::new(engine, Arc::new(SystemIds), Arc::new(SystemClock), settings);
    let listener = TcpListener::bind(address).await?;
    writeln!(std::io::stdout(), "listening on {}", listener.local_addr()?)?;

    let mounted = api.clone();
    let answer = move |request, peer| {
        let api = mounted.clone();
        async move { answer(&api, request, peer).await }
    };
    tokio::select! {
        () = serve(listener, answer, stop) => {}
        () = site.keep_house() => {}
    }
    // A change goes on when its caller has gone.
    api.drained().await;
    site.close().await;
    Ok(())
}

async fn answer(
    api: &Api,
    mut request: Request<Incoming>,
    peer: IpAddr,
) -> Response<Either<ResponseBody, Full<Bytes>>> {
    let Some(uri) = below_mount(request.uri()) else { return own(&request).map(Either::Right) };
    *request.uri_mut() = uri;
    api.handle(request, peer).await.map(Either::Left)
}

/// The address as the API knows it, without the mount; `None` for one of the program itself.
fn below_mount(uri: &Uri) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(MOUNT)?;
    // `/vaults` is somebody else's.
    let rest = rest.starts_with('/').then(|| rest.parse::<PathAndQuery>().ok())??;
    Some(Uri::from(rest))
}

/// The routes of the program itself.
fn own(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, text) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => (StatusCode::OK, "a program with a strongroom below /vault\n"),
        _ => (StatusCode::NOT_FOUND, "there is nothing\n"),
    };
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}
