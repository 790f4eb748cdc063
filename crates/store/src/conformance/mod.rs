//! The laws that every store obeys, written once and run by each store crate.
//!
//! Behind the cargo feature `conformance`. A store crate's tests say
//! `influxd_store::conformance!(fresh);` with an `async fn fresh() -> Subject` that makes an empty
//! store, and get one test per law. A law panics where it is broken.
#![expect(clippy::unwrap_used, reason = "laws are tests: they end by panicking")]

pub mod agreeing;
pub mod authorizations;
pub mod buckets;
pub mod burying;
pub mod claims;
pub mod commits;
pub mod dbrps;
pub mod figures;
mod fixtures;
pub mod following;
pub mod hashing;
pub mod labels;
pub mod list_figures;
pub mod memberships;
pub mod organizations;
pub mod pages;
pub mod races;
pub mod removing;
pub mod replacing;
pub mod retiring;
pub mod scrubbing;
pub mod secrets;
pub mod sessions;
pub mod snapshots;
pub mod texts;
pub mod tokens;
pub mod traces;
pub mod transactions;
pub mod users;

use std::any::Any;
use std::sync::Arc;

use crate::{ChunkStore, Store};

/// An empty store to try the laws on.
#[derive(Debug)]
pub struct Subject {
    /// Its resources.
    pub store: Arc<dyn Store>,
    /// Its chunks.
    pub chunks: Arc<dyn ChunkStore>,
    /// The resources once more, as another server on the same database sees them; the same
    /// server where a database has but one.
    pub other_store: Arc<dyn Store>,
    /// The chunks once more, as that other server sees them.
    pub other_chunks: Arc<dyn ChunkStore>,
    /// What has to live as long as the store, such as its folder.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// One `#[tokio::test]` per law, on the store that `$fresh().await` makes.
#[macro_export]
macro_rules! conformance {
    ($fresh:path) => {
        $crate::conformance! { @ $fresh;
            transactions {
                what_is_committed_is_there
                a_dropped_transaction_leaves_nothing
                a_future_dropped_half_way_leaves_the_store_usable
                a_conflict_does_not_end_the_transaction
                everything_is_counted
                reading_transactions_see_one_snapshot_and_change_nothing
                a_closed_store_is_unavailable
            }
            pages {
                pages_far_behind_are_the_right_ones
            }
            organizations {
                organizations_are_found_by_id_and_trimmed_name
                organization_names_are_unique_trimmed
                organizations_can_be_changed
                organization_lists_are_in_unsigned_order_and_paged
                deleting_an_organization_takes_its_buckets_and_mappings
                deleting_a_missing_organization_says_so
                names_may_be_long_and_of_any_script
            }
            users {
                users_are_found_by_id_and_exact_name
                user_names_are_unique
                user_lists_are_in_unsigned_order_and_paged
                users_can_be_changed
                passwords_can_be_set_and_replaced
                deleted_users_are_gone
                an_id_is_not_given_again_while_anything_of_its_user_is_left
            }
            memberships {
                memberships_are_listed_by_user_and_by_thing
                a_user_has_one_role_in_each_thing
                a_membership_needs_both_its_ends
                organizations_are_listed_by_user
                deleting_a_thing_takes_its_memberships
            }
            buckets {
                buckets_survive_being_stored
                bucket_names_are_unique_in_their_organization
                bucket_lists_are_filtered_ordered_and_paged
                buckets_can_be_changed
                a_bucket_needs_its_organization
                deleting_a_bucket_takes_its_mappings
            }
            authorizations {
                authorizations_are_found_by_digest
                digests_are_unique
                v1_users_are_found_by_name
                v1_users_have_passwords
                tokens_and_v1_users_are_never_mistaken
                authorizations_can_be_changed
                deleted_authorizations_are_gone
                authorization_lists_are_filtered
                authorizations_outlive_their_organization
            }
            tokens {
                raw_tokens_are_found_by_their_key
                a_token_is_stored_once_in_whatever_form
                raw_tokens_are_listed_as_authorizations_are
                what_is_not_hashed_is_found_in_order
                tokens_change_their_form
                many_tokens_change_their_form_at_once
                digests_are_listed_by_prefix
                copies_are_kept_in_escrow
                forms_are_counted
            }
            snapshots {
                a_snapshot_has_everything
                a_restored_snapshot_is_all_that_is_left
                a_dropped_restore_changes_nothing
                sessions_outlive_a_restore
                points_stay_with_their_buckets
                a_bucket_that_comes_back_brings_no_points
                nothing_that_was_there_outlives_a_restore
                a_snapshot_that_contradicts_itself_is_refused
            }
            scrubbing {
                nothing_is_scrubbed_while_nothing_was_removed
                what_was_replaced_awaits_a_scrub
                every_removal_is_scrubbed
                a_scrub_changes_nothing_else
                a_scrub_waits_for_those_who_still_see_what_was_removed
                a_scrub_hinders_nobody
            }
            sessions {
                sessions_are_found_until_they_expire
                a_session_s_end_moves_only_forward
                sessions_can_be_ended_once
                a_user_s_sessions_can_be_ended_together
                a_new_session_removes_what_has_expired
                concurrent_sessions_do_not_hinder_each_other
            }
            labels {
                labels_survive_being_stored
                label_names_are_unique_in_their_organization
                label_lists_are_filtered
                labels_can_be_changed
                buckets_bear_labels
                deleting_either_end_takes_label_mappings
                deleting_an_organization_takes_its_labels
            }
            secrets {
                secret_keys_are_listed
                secrets_can_be_replaced_and_deleted
                secrets_belong_to_an_organization
                stored_secrets_are_found_and_replaced
            }
            texts {
                texts_with_nul_are_refused
            }
            races {
                nothing_is_added_to_an_organization_that_goes
                of_two_set_ups_one_finds_an_empty_instance
                nothing_is_added_to_a_bucket_that_goes
                a_new_user_inherits_nothing
                of_two_equal_names_one_wins
            }
            dbrps {
                the_first_mapping_of_a_database_is_its_default
                a_new_default_takes_the_place_of_the_old
                mapping_names_are_unique_and_conflicts_change_nothing
                mapping_updates_move_the_default
                deleting_the_default_passes_it_on
                mappings_are_filtered
                a_mapping_needs_its_bucket_and_organization
                concurrent_mappings_leave_one_default
            }
            commits {
                chunks_survive_being_committed
                names_are_any_bytes_and_times_any_number
                a_chunk_of_another_epoch_is_refused_alone
                a_chunk_of_a_missing_bucket_is_refused
                large_groups_are_one_transaction
                bodies_that_are_gone_are_left_out
                versions_grow_from_commit_to_commit
            }
            agreeing {
                the_first_type_counts_for_all
                types_may_differ_between_windows
                of_two_types_in_one_call_the_first_counts
                windows_are_cut_at_their_neighbours
                windows_follow_the_bucket_s_present_duration
                the_ends_of_time_have_windows
                agreeing_needs_the_bucket
                two_servers_agree_on_one_type
                two_servers_agree_on_windows_without_overlap
                many_fields_can_be_agreed_at_once
            }
            burying {
                a_delete_is_followed
                a_delete_without_types_leaves_the_epoch
                a_dropped_measurement_loses_its_types_and_raises_the_epoch
                only_windows_covered_whole_lose_types
                forgetting_everything_ends_windows
                burying_needs_the_bucket
            }
            following {
                a_first_poll_returns_what_lives
                later_polls_return_what_changed
                deaths_are_followed
                epochs_are_followed
                low_never_falls_and_an_idle_poll_is_empty
                nothing_is_ever_missed
                a_death_and_its_heir_come_together
            }
            replacing {
                new_chunks_take_the_place_of_old_ones
                a_replacement_needs_every_old_chunk_alive
                a_chunk_may_be_replaced_by_nothing
                large_pieces_survive_in_any_number
                only_one_of_two_replacements_wins
                tombstones_can_be_retired
            }
            removing {
                dead_rows_go_in_batches_and_raise_the_horizon
                living_and_younger_rows_stay
                pieces_go_with_their_chunk
                marks_go_when_dead
                tidying_and_measuring_work_any_time
            }
            retiring {
                chunks_of_deleted_buckets_die_in_batches
                an_id_is_free_again_when_nothing_is_left
            }
            claims {
                a_claim_is_exclusive_until_it_is_dropped
                different_keys_do_not_meet
            }
        }
    };
    (@ $fresh:path; $($module:ident { $($law:ident)* })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                $crate::conformance::$module::$law($fresh().await).await;
            }
        )*)*
    };
}
