use crate::programs::Programs;
use crate::{Error, Rows, psql};

/// A database of one test's own, empty at first.
#[derive(Debug)]
pub struct Database {
    programs: Programs,
    /// The URL of the cluster's own database, from which this one is dropped.
    cluster: String,
    name: String,
    url: String,
    drops: bool,
}

impl Database {
    /// Creates a database with a name that no other has. `drops`: whether its end drops it, for a cluster that stays.
    pub(crate) fn create(programs: Programs, cluster: &str, drops: bool) -> Result<Self, Error> {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/uuid").map_err(Error::system("making a name"))?;
        let name = format!("test_{}", id.trim().replace('-', ""));
        // From this template many can be made at once.
        psql::run(&programs, cluster, &format!("CREATE DATABASE {name} TEMPLATE template0"))?;
        let url = with_database(cluster, &name);
        Ok(Self { programs, cluster: cluster.to_owned(), name, url, drops })
    }

    /// Its name: `test_` and 32 hexadecimal digits.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL over the Unix socket, as the superuser.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its URL over the Unix socket, as another role.
    #[must_use]
    pub fn url_as(&self, role: &str) -> String {
        with_authority(&self.url, |_, address| format!("{role}@{address}"))
    }

    /// Its URL over TCP on the loopback address, as the superuser.
    #[must_use]
    pub fn tcp_url(&self) -> String {
        with_authority(&self.url, |user, address| match address.rsplit_once(':') {
            Some((host, port)) if host.starts_with("%2F") => format!("{user}127.0.0.1:{port}"),
            _ => format!("{user}{address}"),
        })
    }

    /// Runs statements as the superuser, each on its own, and gives their rows.
    ///
    /// # Panics
    /// When one fails.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> Rows {
        self.try_sql(sql).unwrap_or_else(|error| error.panic())
    }

    /// Runs statements as the superuser, each on its own, and gives their rows.
    ///
    /// # Errors
    /// When one fails; those after it are not run.
    pub fn try_sql(&self, sql: &str) -> Result<Rows, Error> {
        psql::run(&self.programs, &self.url, sql)
    }

    /// What it holds, to be compared with itself at another time: each table of `public` with its columns and a digest of its rows, and
    /// the sequences.
    ///
    /// # Panics
    /// When it can't be read.
    #[must_use]
    #[track_caller]
    pub fn content(&self) -> Rows {
        let tables = self.sql(
            "SELECT table_name, string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position)
             FROM information_schema.columns WHERE table_schema = 'public' GROUP BY 1 ORDER BY 1",
        );
        let digest = |table: &str| {
            let rows = r"SELECT md5(coalesce(string_agg(t::text, E'\n' ORDER BY t::text), ''))";
            self.sql(&format!("{rows} FROM \"{table}\" AS t")).concat().concat()
        };
        let tables = tables.into_iter().map(|table| [digest(&table[0])].into_iter().chain(table).collect());
        let sequences =
            self.sql("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1");
        tables.chain(sequences).collect()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.drops {
            // One that stays does no harm: the cluster ends with the run.
            let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            let _ = psql::run(&self.programs, &self.cluster, &drop);
        }
    }
}

/// The URL with another path, which names the database.
fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
    let authority = base.find("://").map_or(0, |at| at + 3);
    let end = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    format!("{}/{name}{query}", &base[..end])
}

/// The URL with another authority, made from the user with its `@`, and the address.
fn with_authority(url: &str, make: impl FnOnce(&str, &str) -> String) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?']).map_or(url.len(), |at| start + at);
    let (user, address) = url[start..end].split_at(url[start..end].rfind('@').map_or(0, |at| at + 1));
    format!("{}{}{}", &url[..start], make(user, address), &url[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced_and_nothing_else() {
        assert_eq!(with_database("postgres://u@%2Ftmp%2Fa:5/postgres", "b"), "postgres://u@%2Ftmp%2Fa:5/b");
        assert_eq!(with_database("postgres://h?sslmode=disable", "b"), "postgres://h/b?sslmode=disable");
        assert_eq!(with_database("postgres://h:1/a?x=y/z", "b"), "postgres://h:1/b?x=y/z");
    }

    #[test]
    fn user_and_address_are_told_apart() {
        let join = |user: &str, address: &str| format!("[{user}|{address}]");
        assert_eq!(with_authority("postgres://u:p@h:1/d?a", join), "postgres://[u:p@|h:1]/d?a");
        assert_eq!(with_authority("postgres://h/d", join), "postgres://[|h]/d");
    }
}
