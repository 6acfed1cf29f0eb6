//! Known values, with the store in PostgreSQL: none of them is in the files of the database, nor in what it logs.

use super::place::Place;
use crate::audit_log::AuditLog;
use crate::canary::{Canaries, everything, records, search, start};
use crate::canary_operator::operator;
use crate::database;
use strongroom_test_postgres::{Cluster, Mode};

#[test]
fn no_value_token_or_root_key_is_left_anywhere() {
    // Every statement with its parameters.
    let settings = [("log_statement", "all"), ("log_min_duration_statement", "0"), ("log_min_messages", "debug1")];
    let builder = Cluster::builder().in_memory();
    let place = Place::over(settings.into_iter().fold(builder, |builder, (name, value)| builder.set(name, value)));
    let data = place.data.path();
    let url = place.database.url();
    let mut canaries = Canaries::default();
    let (server, client, receivers) = start(data, Place::launch(data, url), Some(url), &mut canaries);
    everything(&client, &mut canaries);
    let printed = operator(server.address(), data, Some(url), &client, &mut canaries);
    receivers.wait_until_sent(server.address(), data, &client);
    let others = || {
        let records = records(&AuditLog::verify_in(&place.database));
        // Everything is in its file then.
        place.cluster.stop(Mode::Fast);
        let log = place.cluster.log();
        assert!(
            log.contains("INSERT INTO secret_versions") && log.contains("$1 ="),
            "the database's log is not verbose"
        );
        let files = database::files(place.cluster.data()).into_iter();
        let mut others: Vec<_> = files.map(|(file, bytes)| (file.display().to_string(), bytes)).collect();
        let holds = |text: &str| others.iter().any(|(_, bytes)| memchr::memmem::find(bytes, text.as_bytes()).is_some());
        assert!(holds("/c/generated"), "the store is not in these files");
        others.push(("the database's log".to_owned(), log.into_bytes()));
        others.extend(records);
        others.extend(printed);
        others.extend(receivers.heard());
        others
    };
    search(server, data, others, &canaries);
}
