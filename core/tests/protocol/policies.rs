//! Each setting of a policy has a method that sets it alone.

use std::collections::BTreeMap;
use std::time::Duration;

use imts_core::Policy;
use imts_core::policy::{Alone, Replay, UnhandledRefresh};

/// The fields of a policy and their values, as its `Debug` prints them.
fn fields(policy: &Policy) -> BTreeMap<String, String> {
    let text = format!("{policy:#?}");
    let lines = text.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(": "));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn each_field_has_a_method_that_sets_it_and_no_other() {
    let (fresh, odd) = (Policy::default, Duration::from_millis(77));
    let changed = [
        ("margin", fresh().with_margin(odd)),
        ("margin_percent", fresh().with_margin_percent(77)),
        ("renew_after", fresh().with_renew_after(odd)),
        ("time_limit", fresh().with_time_limit(odd)),
        ("backoff_first", fresh().with_backoff_first(odd)),
        ("backoff_cap", fresh().with_backoff_cap(odd)),
        ("jitter_percent", fresh().with_jitter_percent(77)),
        ("jitter_seed", fresh().with_jitter_seed(77)),
        ("retry_after_cap", fresh().with_retry_after_cap(odd)),
        ("settle", fresh().with_settle(odd)),
        ("refusals", fresh().with_refusals(77)),
        ("secret_tries", fresh().with_secret_tries(77)),
        ("forbidden_first", fresh().with_forbidden_first(odd)),
        ("forbidden_cap", fresh().with_forbidden_cap(odd)),
        ("refresh_retry", fresh().with_refresh_retry(odd)),
        ("replay", fresh().with_replay(Replay::Never)),
        ("unhandled_refresh", fresh().with_unhandled_refresh(UnhandledRefresh::Keeps)),
        ("save_within", fresh().with_save_within(odd)),
        ("lease", fresh().with_lease(odd)),
        ("store_within", fresh().with_store_within(odd)),
        ("store_backoff_cap", fresh().with_store_backoff_cap(odd)),
        ("spread_percent", fresh().with_spread_percent(77)),
        ("alone", fresh().with_alone(Alone::Wait)),
        ("access_lifetime_cap", fresh().with_access_lifetime_cap(odd)),
        ("refresh_lifetime_cap", fresh().with_refresh_lifetime_cap(odd)),
        ("reply_limit", fresh().with_reply_limit(77)),
        ("call_attempts", fresh().with_call_attempts(77)),
        ("unauthorized_is_unprocessed", fresh().with_unauthorized_is_unprocessed(true)),
        ("error_shape_refuses", fresh().with_error_shape_refuses(false)),
    ];
    let before = fields(&fresh());
    let mut without = before.clone();
    for (name, policy) in changed {
        let after = fields(&policy);
        let differ: Vec<_> = before.keys().filter(|key| before[*key] != after[*key]).collect();
        assert_eq!(differ, [name]);
        let value = after[name].trim_end_matches(',');
        assert!(
            ["77ms", "77", "Never", "Keeps", "Wait", "true", "false"].contains(&value),
            "{name}: {value}"
        );
        without.remove(name);
    }
    assert!(without.is_empty(), "these have no method: {without:?}");
}
