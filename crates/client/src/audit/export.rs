use super::{Audit, AuditFilter};
use crate::{Client, Error, Items};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::Response;
use strongroom_api::audit::ExportLine;

/// The longest line, in bytes; a record has less by far.
const MAX_LINE_LEN: usize = 4 * 1024 * 1024;

/// An export on its way.
struct Lines {
    client: Client,
    response: Response,
    /// What came and isn't passed on yet.
    buffer: Vec<u8>,
    /// How much of it is known to hold no end of a line.
    searched: usize,
    ended: bool,
}

impl Audit {
    /// All entries as they lie in the log, with what proves them: lines of JSON without the ends of the lines, as the server sends
    /// them. Nothing of the whole is kept. The stream fails when the export is torn; complete it is when it ends without an error.
    ///
    /// # Errors
    /// Any, before the first line; [denied](Error::is_denied) when the caller may not read the whole log.
    pub async fn export_lines(&self, filter: &AuditFilter) -> Result<Items<Vec<u8>>, Error> {
        let call = Self::call(&["v1", "audit", "export"], filter);
        let response = self.client.transport.open(&self.client, &call).await?;
        let lines = Lines { client: self.client.clone(), response, buffer: Vec::new(), searched: 0, ended: false };
        Ok(stream::try_unfold(lines, Lines::next).boxed())
    }

    /// The same, read.
    ///
    /// # Errors
    /// Any, before the first line; [denied](Error::is_denied) when the caller may not read the whole log.
    pub async fn export(&self, filter: &AuditFilter) -> Result<Items<ExportLine>, Error> {
        let lines = self.export_lines(filter).await?;
        Ok(lines.and_then(|line| core::future::ready(read(&line))).boxed())
    }
}

fn read(line: &[u8]) -> Result<ExportLine, Error> {
    serde_json::from_slice(line)
        .map_err(|error| Error::bad_answer("the export has a line that is none of an export").because(error))
}

impl Lines {
    async fn next(mut self) -> Result<Option<(Vec<u8>, Self)>, Error> {
        loop {
            let at = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
            if let Some(at) = at.map(|at| self.searched + at) {
                let rest = self.buffer.split_off(at + 1);
                let mut line = core::mem::replace(&mut self.buffer, rest);
                line.truncate(at);
                self.searched = 0;
                if self.ended {
                    return Err(Error::bad_answer("the export goes on behind its end"));
                }
                self.ended = is_end(&line);
                return Ok(Some((line, self)));
            }
            self.searched = self.buffer.len();
            if self.searched > MAX_LINE_LEN {
                return Err(Error::too_large(format!("the export has a line of more than {MAX_LINE_LEN} bytes")));
            }
            match self.client.transport.part(&mut self.response).await? {
                Some(part) => self.buffer.extend_from_slice(&part),
                None if self.ended && self.buffer.is_empty() => return Ok(None),
                None => return Err(Error::unreachable("the export broke off: it has no end")),
            }
        }
    }
}

fn is_end(line: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Typed<'a> {
        r#type: &'a str,
    }
    serde_json::from_slice::<Typed<'_>>(line).is_ok_and(|line| line.r#type == "end")
}
