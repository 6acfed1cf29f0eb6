//! One macro per suite, and one for all.

/// Makes one test per case. Not called by adapters.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_cases {
    ($store:expr; $suite:ident: $($case:ident)*) => {
        mod $suite {
            use super::*;
            $(
                #[test]
                fn $case() {
                    $crate::contract::run(async { $crate::contract::$suite::$case($store.await).await });
                }
            )*
        }
    };
}

macro_rules! suites {
    ($dollar:tt $($(#[$doc:meta])* $name:ident, $suite:ident: $($case:ident)*;)*) => {
        $(
            $(#[$doc])*
            ///
            /// Takes an async expression that yields a [`Store`](crate::contract::Store), evaluated once per case.
            #[macro_export]
            macro_rules! $name {
                ($dollar store:expr) => {
                    $dollar crate::contract_cases! { $dollar store; $suite: $($case)* }
                };
            }
        )*

        #[cfg(test)]
        const CASES: &[(&str, &[&str])] = &[$((stringify!($suite), &[$(stringify!($case)),*])),*];
    };
}

suites! { $
    /// The cases of [`committer`](crate::contract::committer).
    committer_contract, committer:
        a_unit_is_there_whole_when_commit_returns
        a_unit_may_hold_records_only
        a_failed_expectation_leaves_nothing
        the_first_failed_expectation_is_named
        a_change_that_does_not_fit_undoes_the_changes_before_it
        a_change_that_does_not_fit_undoes_changes_of_the_directory
        changes_are_made_in_order
        of_commits_that_expect_one_revision_one_is_applied
        units_fail_alone
        a_unit_is_applied_when_the_caller_stops_waiting
        expects_the_revision_of_a_secret
        expects_the_revision_of_a_key
        expects_the_revision_of_an_organisation
        expects_the_absence_of_every_unique_key
        expects_a_project_to_be_empty
        expects_a_key_version_that_is_not_retired
        a_put_expects_its_key_version
        expects_the_epoch_of_a_lease
        expects_the_root_key_of_the_key_check
        changes_compare_revisions_without_being_told
        insert_secret_keeps_every_field
        one_path_may_be_used_in_every_scope
        paths_are_case_sensitive
        append_version_keeps_the_others
        erase_version_leaves_the_history
        erase_version_wants_an_active_one
        one_unit_may_append_and_erase
        one_unit_appends_and_erases_whole_or_not_at_all
        replace_wrapped_key_changes_nothing_else
        replace_wrapped_key_wants_the_one_before
        one_unit_may_replace_many_wrapped_keys
        replace_metadata_changes_nothing_else
        replace_policy_sets_and_clears
        delete_secret_leaves_nothing_of_it
        delete_secret_frees_the_path
        insert_key_keeps_every_field
        append_key_version_keeps_the_others
        replace_key_state_changes_nothing_else
        replace_key_handle_erases_the_one_before
        delete_key_leaves_nothing_of_it
        only_live_keys_hold_name_and_slug
        insert_organisation_keeps_every_field
        insert_region_keeps_every_field
        replace_organisation_replaces_every_field
        replace_region_replaces_every_field
        insert_token_keeps_every_field
        delete_token_leaves_nothing_of_it
        put_object_keeps_every_field
        put_object_replaces_the_one_of_its_identity
        put_object_conflicts_over_the_handle_of_another
        a_handle_is_free_in_another_kind_and_organisation
        put_object_keeps_and_frees_its_own_handle
        delete_object_frees_its_handle
        revise_organisation_compares_the_revision
        of_changes_at_once_of_one_directory_one_is_applied
        of_users_at_once_with_one_login_one_is_put
        insert_key_check_and_instance_keys_keep_every_field
        replace_instance_key_wants_the_one_before
        replace_key_check_leaves_one
        remember_answer_keeps_every_field
        erase_version_keeps_its_answers_without_digests
        delete_secret_takes_its_answers
        forget_answer_frees_its_key
        prune_answers_is_bounded
        index_records_leaves_lines_that_are_there
        remove_records_leaves_nothing_of_them
        remove_records_leaves_the_last
        a_stream_goes_on_after_its_records_were_removed
        add_checkpoint_keeps_every_byte
        add_checkpoint_notes_the_ends
        a_reader_never_goes_back
        a_position_behind_the_last_record_tells_of_nothing
        changes_of_an_unknown_stream_leave_nothing
        a_change_that_does_not_fit_undoes_changes_of_the_log;
    /// The cases of [`secret_reader`](crate::contract::secret_reader).
    secret_reader_contract, secret_reader:
        find_sees_only_its_scope
        sealed_current_is_the_highest_active
        sealed_tells_destroyed_from_missing
        sealed_gives_the_secret_too
        versions_rise_and_page
        version_is_one_entry
        active_below_skips_destroyed_versions
        oldest_active_skips_destroyed_versions
        list_is_ordered_bytewise
        list_takes_the_prefix_literally
        list_pages_by_path
        list_and_browse_see_only_their_scope
        browse_merges_secrets_and_directories
        browse_pages_by_sort_key
        browse_forgets_empty_directories
        counts_what_is_bound_to_a_key
        wrapped_pages_by_secret_and_version
        wrapped_shows_what_was_replaced
        every_read_shows_the_latest_state;
    /// The cases of [`key_reader`](crate::contract::key_reader).
    key_reader_contract, key_reader:
        get_ignores_scopes
        find_sees_only_its_scope
        find_by_slug_prefers_the_live_key
        list_shows_live_keys_first_and_newest_first
        list_filters_exactly
        summaries_leave_out_what_is_not_there
        counts_are_by_state
        due_rotations_follow_the_key
        due_purges_follow_the_status
        all_pages_by_identity;
    /// The cases of [`tenancy_reader`](crate::contract::tenancy_reader).
    tenancy_reader_contract, tenancy_reader:
        organisation_by_identity_before_slug
        organisations_are_ordered_by_slug
        regions_are_ordered_by_slug;
    /// The cases of [`directory_reader`](crate::contract::directory_reader).
    directory_reader_contract, directory_reader:
        all_finds_every_object_of_the_kind
        ids_find_those_that_are_there
        a_handle_is_matched_exactly
        parts_of_finds_by_the_parent
        about_finds_by_any_of_the_subjects
        kinds_are_kept_apart
        organisations_are_kept_apart
        objects_come_in_the_order_of_their_identities
        every_read_shows_the_latest_state;
    /// The cases of [`token_reader`](crate::contract::token_reader).
    token_reader_contract, token_reader:
        a_token_is_found_by_its_whole_digest
        the_tokens_of_a_user_are_ordered_by_identity;
    /// The cases of [`answer_reader`](crate::contract::answer_reader).
    answer_reader_contract, answer_reader:
        an_answer_is_found_expired_or_not;
    /// The cases of [`setup_reader`](crate::contract::setup_reader).
    setup_reader_contract, setup_reader:
        a_new_store_is_not_set_up
        instance_keys_are_grouped_by_purpose_and_rise_by_version;
    /// The cases of [`leases`](crate::contract::leases).
    leases_contract, leases:
        a_lease_that_nobody_holds_is_given
        its_holder_keeps_the_epoch
        each_tenure_has_the_epoch_after_the_last
        of_many_callers_one_gets_it
        leases_of_different_names_are_apart
        a_caller_who_stopped_waiting_may_acquire_again
        renew_keeps_the_epoch
        a_lease_ends_ttl_from_its_last_renewal
        a_lost_lease_is_not_renewed
        release_frees_at_once
        releasing_a_lost_lease_changes_nothing;
    /// The cases of [`access_log`](crate::contract::access_log).
    access_log_contract, access_log:
        both_records_are_there_on_return
        a_changed_secret_is_stale
        a_deleted_secret_is_stale
        last_accessed_at_shows_everywhere
        last_accessed_at_never_goes_back
        last_accessed_at_outlives_changes
        accesses_fail_alone;
    /// The cases of [`audit_log`](crate::contract::audit_log).
    audit_log_contract, audit_log:
        records_keep_their_order
        nothing_is_dropped
        records_keep_every_field;
    /// The cases of [`audit_reader`](crate::contract::audit_reader).
    audit_reader_contract, audit_reader:
        the_chain_has_no_gap
        the_last_record_is_signed
        records_page_by_sequence
        an_unknown_stream_is_empty
        the_newest_denial_of_a_request_is_found
        behind_tells_each_reader_apart
        behind_pages_in_the_order_of_streams
        find_is_newest_first_and_then_by_event
        find_pages_by_window
        find_sees_only_its_log_and_term
        count_is_bounded
        at_keeps_the_order_that_was_asked_for
        links_show_what_is_stored
        indexed_wants_the_very_record
        index_lines_page_by_their_order
        checkpoints_page_by_number;
}

/// Every suite of a store, in a module of the adapter's name, and the comparison with the plain [`model`](crate::model).
///
/// Takes a name and an async expression that yields a [`Store`](crate::contract::Store), evaluated once per case.
#[macro_export]
macro_rules! store_contract {
    ($adapter:ident, $store:expr) => {
        mod $adapter {
            use super::*;
            $crate::committer_contract!($store);
            $crate::secret_reader_contract!($store);
            $crate::key_reader_contract!($store);
            $crate::tenancy_reader_contract!($store);
            $crate::directory_reader_contract!($store);
            $crate::token_reader_contract!($store);
            $crate::answer_reader_contract!($store);
            $crate::setup_reader_contract!($store);
            $crate::leases_contract!($store);
            $crate::access_log_contract!($store);
            $crate::audit_log_contract!($store);
            $crate::audit_reader_contract!($store);

            #[test]
            fn random_operations_agree_with_the_plain_model() {
                $crate::model::check(|| $store);
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::CASES;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// A case that no macro names would never run.
    #[test]
    fn every_case_is_in_its_macro() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract");
        for (suite, cases) in CASES {
            let mut files = vec![folder.join(format!("{suite}.rs"))];
            files.retain(|file| file.exists());
            if let Ok(entries) = std::fs::read_dir(folder.join(suite)) {
                files.extend(entries.map(|entry| entry.expect("readable").path()));
            }
            let mut written = BTreeSet::new();
            for file in files {
                let source = std::fs::read_to_string(&file).expect("readable");
                let names = source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
                written.extend(names.map(str::to_owned));
            }
            assert_eq!(written, cases.iter().map(|case| (*case).to_owned()).collect(), "{suite}");
        }
    }
}
