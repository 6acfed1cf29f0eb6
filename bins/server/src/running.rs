//! A server from its first request to its end.

use crate::config::Config;
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::signals::Signals;
use crate::system::SystemClock;
use crate::wiring::System;
use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;
use strongroom::Engine;
use strongroom_domain::port::Clock;
use strongroom_http::ServeOptions;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

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

/// The listener of metrics, when there is to be one. To be called before anything is made that measures.
pub(crate) async fn metrics(config: &Config) -> Result<Option<Metrics>, Failure> {
    match config.metrics {
        Some(address) => Metrics::start(address, SystemClock.now()).await.map(Some),
        None => Ok(None),
    }
}

/// Serves until a signal; then lets running requests end, and closes the store.
pub(crate) async fn serve(
    system: System,
    listener: TcpListener,
    metrics: Option<Metrics>,
    config: &Config,
    signals: Signals,
) -> Result<(), Failure> {
    let address = local_address(&listener)?;
    let options = ServeOptions {
        max_connections: config.listen.max_connections,
        drain_timeout: config.listen.shutdown_grace,
        ..ServeOptions::default()
    };
    let stop = CancellationToken::new();
    let housekeeping = tokio::spawn(housekeeping(Arc::clone(&system.engine), Arc::clone(&system.clock), stop.clone()));
    tracing::debug!(?config, "configuration");
    let metrics_address = metrics.as_ref().map(Metrics::address).map(tracing::field::display);
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(%address, version, store = system.store_kind, metrics = metrics_address, "listening");
    let stop_metrics = CancellationToken::new();
    let metrics = metrics.map(|metrics| tokio::spawn(metrics.serve(stop_metrics.clone())));
    strongroom_http::serve(listener, system.api(config), options, signals.first()).await;
    stop.cancel();
    // Its error would be a panic, which is in the log.
    let _ = housekeeping.await;
    // What was counted is written before the store closes.
    if let Err(error) = system.engine.record_counted_failures().await {
        tracing::error!(error = %causes(&error), "failures that were counted could not be recorded");
    }
    system.writer.close().await;
    stop_metrics.cancel();
    if let Some(metrics) = metrics {
        // Ends by itself, and soon.
        let _ = metrics.await;
    }
    tracing::info!("stopped");
    Ok(())
}

async fn housekeeping(engine: Arc<Engine>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    loop {
        keep_house(&engine).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(HOUSEKEEPING) => {}
        }
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
