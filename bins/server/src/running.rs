//! A server from its first request to its end.

use crate::config::Config;
use crate::failure::Failure;
use crate::signals::Signals;
use crate::wiring::System;
use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;
use strongroom::Engine;
use strongroom_domain::port::Clock;
use strongroom_http::ServeOptions;
use tokio::net::TcpListener;

/// How often expired answers are forgotten, and refused credentials that were only counted are recorded.
const HOUSEKEEPING: Duration = Duration::from_secs(10);

/// Takes the address; from then on connections wait.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::runtime(format!("the server cannot listen on {address}")).because(error))
}

/// The address that a listener got, which tells the port where 0 was asked for.
pub(crate) fn local_address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|error| Failure::runtime("the listener has no address").because(error))
}

/// Serves until a signal; then lets running requests end, and closes the store.
pub(crate) async fn serve(
    system: System,
    listener: TcpListener,
    config: &Config,
    signals: Signals,
) -> Result<(), Failure> {
    let address = local_address(&listener)?;
    let options = ServeOptions {
        max_connections: config.listen.max_connections,
        drain_timeout: config.listen.shutdown_grace,
        ..ServeOptions::default()
    };
    let housekeeping = tokio::spawn(housekeeping(Arc::clone(&system.engine), Arc::clone(&system.clock)));
    tracing::debug!(?config, "configuration");
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
    strongroom_http::serve(listener, system.api(config), options, signals.first()).await;
    housekeeping.abort();
    // Ends with an error that says that it was aborted, which is what was asked.
    let _ = housekeeping.await;
    // What was counted since the last round is written before the store closes.
    keep_house(&system.engine).await;
    system.writer.close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn housekeeping(engine: Arc<Engine>, clock: Arc<dyn Clock>) {
    loop {
        keep_house(&engine).await;
        clock.sleep(HOUSEKEEPING).await;
    }
}

async fn keep_house(engine: &Engine) {
    if let Err(error) = engine.housekeeping().await {
        tracing::warn!(error = %causes(&error), "housekeeping could not be done");
    }
}

fn causes(error: &dyn core::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
