//! Requests that are ready as bytes, sent over many connections, each waiting for its answer before it sends again.

use crate::Outcome;
use core::net::SocketAddr;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The kernel counts a process's time in these (`USER_HZ`), in microseconds.
const TICK_MICROS: f64 = 10_000.0;
/// No head or body of a measured answer is longer.
const BUFFER: usize = 16 * 1024;

/// How a turn runs.
#[derive(Clone, Copy)]
pub(crate) struct Shots {
    pub(crate) connections: usize,
    pub(crate) duration: Duration,
}

/// What came of a turn.
pub(crate) struct Shot {
    pub(crate) requests_per_second: f64,
    /// How long each request took, in microseconds.
    pub(crate) latencies: Vec<u32>,
    /// The server's processor time for one request, in microseconds.
    pub(crate) cpu_micros: f64,
}

impl Shots {
    /// Sends for the duration, and waits for the last answers.
    ///
    /// Fails when an answer is no success, since then something else was measured.
    pub(crate) fn fire(self, address: SocketAddr, pid: u32, requests: &Arc<Vec<Vec<u8>>>) -> Outcome<Shot> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from).min(self.connections);
        let ticks = cpu_ticks(pid)?;
        let began = Instant::now();
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let requests = Arc::clone(requests);
                // The first threads take what doesn't divide.
                let own = self.connections / threads + usize::from(thread < self.connections % threads);
                std::thread::spawn(move || work(address, own, (thread as u64) << 32, &requests, began + self.duration))
            })
            .collect();
        let mut latencies = Vec::new();
        for worker in workers {
            latencies.extend(worker.join().map_err(|_| "a thread of the load panicked")??);
        }
        let seconds = began.elapsed().as_secs_f64();
        let requests = latencies.len() as f64;
        let cpu_micros = (cpu_ticks(pid)? - ticks) as f64 * TICK_MICROS / requests;
        Ok(Shot { requests_per_second: requests / seconds, latencies, cpu_micros })
    }
}

/// The connections of one thread.
fn work(
    address: SocketAddr,
    connections: usize,
    seed: u64,
    requests: &Arc<Vec<Vec<u8>>>,
    end: Instant,
) -> io::Result<Vec<u32>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut running = JoinSet::new();
        for connection in 0..connections {
            let requests = Arc::clone(requests);
            running.spawn(keep_asking(address, requests, Shuffle(seed + connection as u64), end));
        }
        let mut latencies = Vec::new();
        while let Some(done) = running.join_next().await {
            latencies.extend(done.map_err(io::Error::other)??);
        }
        Ok(latencies)
    })
}

/// Numbers in an order that looks like chance, the same in every run: SplitMix64.
struct Shuffle(u64);

impl Shuffle {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// One connection: asks until the time is over.
async fn keep_asking(
    address: SocketAddr,
    requests: Arc<Vec<Vec<u8>>>,
    mut shuffle: Shuffle,
    end: Instant,
) -> io::Result<Vec<u32>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; BUFFER];
    let mut latencies = Vec::with_capacity(1 << 16);
    loop {
        let began = Instant::now();
        if began >= end {
            return Ok(latencies);
        }
        stream.write_all(&requests[shuffle.next() as usize % requests.len()]).await?;
        read_answer(&mut stream, &mut buffer).await?;
        latencies.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
}

/// Reads one answer, and no byte more, since nothing was asked yet.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<()> {
    let mut len = 0;
    loop {
        let read = stream.read(&mut buffer[len..]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        len += read;
        let Some(head) = buffer[..len].windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let body = content_length(&buffer[..head]).ok_or_else(|| io::Error::other("an answer without a length"))?;
        if len < head + 4 + body {
            continue;
        }
        let success = buffer.starts_with(b"HTTP/1.1 2");
        return success
            .then_some(())
            .ok_or_else(|| io::Error::other(String::from_utf8_lossy(&buffer[..len]).into_owned()));
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let line = head
        .split(|byte| *byte == b'\n')
        .find(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)))?;
    str::from_utf8(&line[NAME.len()..]).ok()?.trim().parse().ok()
}

/// The processor time that a process has used, in ticks: fields 14 and 15 of its `stat`, counted behind its name in brackets.
fn cpu_ticks(pid: u32) -> Outcome<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let [user, system] = fields.get(11..13).unwrap_or_default() else {
        return Err("no times in /proc/PID/stat".into());
    };
    Ok(user.parse::<u64>()? + system.parse::<u64>()?)
}
