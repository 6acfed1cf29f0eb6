use crate::Answer;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// One connection: bytes go out as they are, answers are read by HTTP's rules.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// The server has hung up.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Tells the server that nothing more comes.
    ///
    /// # Errors
    /// The server has hung up.
    pub fn finish(&mut self) -> io::Result<()> {
        self.stream.get_mut().shutdown(Shutdown::Write)
    }

    /// Reads one answer to a request that wasn't `HEAD`; `100 Continue` is an answer of its own.
    ///
    /// # Errors
    /// The server hung up before its end, took too long, or doesn't speak HTTP/1.1.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let start = self.line()?;
        let status = start.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status: u16 = status.ok_or_else(|| invalid(format!("no status line: {start:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| invalid(format!("no header: {line:?}")))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        answer.body = self.body(&answer)?;
        Ok(answer)
    }

    /// Whether the server has hung up; waits until it says something or does.
    ///
    /// # Errors
    /// It does neither in time.
    pub fn is_closed(&mut self) -> io::Result<bool> {
        match self.stream.fill_buf() {
            Ok(bytes) => Ok(bytes.is_empty()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn body(&mut self, answer: &Answer) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if matches!(answer.status, 100..=199 | 204 | 304) {
            return Ok(body);
        }
        if answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            loop {
                let size = self.line()?;
                let size = u64::from_str_radix(size.trim(), 16).map_err(invalid)?;
                let read = (&mut self.stream).take(size).read_to_end(&mut body)?;
                if read as u64 != size || !self.line()?.is_empty() {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        match answer.header("content-length") {
            Some(length) => {
                let length: u64 = length.parse().map_err(invalid)?;
                if (&mut self.stream).take(length).read_to_end(&mut body)? as u64 != length {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
            }
            None => {
                self.stream.read_to_end(&mut body)?;
            }
        }
        Ok(body)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        line.strip_suffix("\r\n").map(str::to_owned).ok_or_else(|| invalid(format!("no end of line: {line:?}")))
    }
}

fn invalid(what: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}
