//! Transformations, technical analysis, forecast (InfluxQL 9.2, 9.4 to 9.6).

use super::check;

#[test]
fn neighbours_are_compared() {
    check(&[
        (
            "SELECT derivative(u) FROM cpu GROUP BY host",
            &[
                "cpu{host=a} (time,derivative) [+10 0.1] [+25 0.13333333333333333]",
                "cpu{host=b} (time,derivative) [+20 0.3333333333333333] [+65 -0.044444444444444446]",
            ],
        ),
        (
            "SELECT difference(u) FROM cpu WHERE host = 'b'",
            &["cpu (time,difference) [+20 5] [+65 -2]"],
        ),
        (
            "SELECT non_negative_difference(u) FROM cpu WHERE host = 'b'",
            &["cpu (time,non_negative_difference) [+20 5]"],
        ),
        (
            "SELECT elapsed(u) FROM cpu WHERE host = 'b'",
            &["cpu (time,elapsed) [+20 15000000000] [+65 45000000000]"],
        ),
        (
            "SELECT moving_average(u, 2) FROM cpu",
            &["cpu (time,moving_average) [+5 2] [+10 2.5] [+20 5] [+25 6] [+65 5]"],
        ),
        (
            "SELECT cumulative_sum(u) FROM cpu",
            &["cpu (time,cumulative_sum) [+0 1] [+5 4] [+10 6] [+20 14] [+25 18] [+65 24]"],
        ),
        (
            "SELECT cumulative_sum(i) FROM cpu WHERE host = 'a'",
            &["cpu (time,cumulative_sum) [+0 10] [+10 30] [+25 35]"],
        ),
    ]);
}

#[test]
fn the_newest_first_runs_backwards() {
    check(&[
        (
            "SELECT derivative(u) FROM cpu WHERE host = 'a' ORDER BY time DESC",
            &["cpu (time,derivative) [+10 -0.13333333333333333] [+0 -0.1]"],
        ),
        (
            "SELECT difference(u) FROM cpu WHERE host = 'a' ORDER BY time DESC",
            &["cpu (time,difference) [+10 -2] [+0 -1]"],
        ),
        (
            "SELECT elapsed(u, 1s) FROM cpu WHERE host = 'a' ORDER BY time DESC",
            &["cpu (time,elapsed) [+10 -15] [+0 -10]"],
        ),
        (
            "SELECT cumulative_sum(u) FROM cpu WHERE host = 'a' ORDER BY time DESC",
            &["cpu (time,cumulative_sum) [+25 4] [+10 6] [+0 7]"],
        ),
    ]);
}

#[test]
fn buckets_are_compared_with_the_one_before_the_range() {
    check(&[
        (
            "SELECT derivative(mean(u)) FROM cpu WHERE $W GROUP BY time(20s)",
            &["cpu (time,derivative) [+20 4] [+60 0]"],
        ),
        (
            "SELECT derivative(mean(u)), mean(u) FROM cpu WHERE $W GROUP BY time(20s) fill(0)",
            &["cpu (time,derivative,mean) [+0 2 2] [+20 4 6] [+40 -6 0] [+60 6 6]"],
        ),
        (
            "SELECT difference(count(u)) FROM cpu WHERE $W GROUP BY time(20s)",
            &["cpu (time,difference) [+0 3] [+20 -1] [+40 -2] [+60 1]"],
        ),
        (
            "SELECT moving_average(mean(u), 2) FROM cpu WHERE time >= '2020-01-01T00:00:20Z' AND time < '2020-01-01T00:01:20Z' GROUP BY time(10s)",
            &["cpu (time,moving_average) [+20 4] [+60 6]"],
        ),
        (
            "SELECT derivative(mean(u)) FROM cpu WHERE time >= '2020-01-01T00:00:20Z' AND time < '2020-01-01T00:01:20Z' GROUP BY time(10s) fill(0)",
            &["cpu (time,derivative) [+20 4] [+30 -6] [+40 0] [+50 0] [+60 6] [+70 -6]"],
        ),
        (
            "SELECT exponential_moving_average(mean(u), 2, 0) FROM cpu WHERE time >= '2020-01-01T00:00:20Z' AND time < '2020-01-01T00:01:20Z' GROUP BY time(10s)",
            &[
                "cpu (time,exponential_moving_average) [+10 2] [+20 4.666666666666666] [+60 5.555555555555555]",
            ],
        ),
        (
            "SELECT moving_average(difference(mean(u)), 2) FROM cpu WHERE $W GROUP BY time(20s)",
            &["cpu (time,moving_average) [+60 2]"],
        ),
    ]);
}

#[test]
fn integrals_are_cut_at_the_end_of_a_bucket() {
    check(&[
        (
            "SELECT integral(u) FROM cpu",
            &["cpu (time,integral) [E 302.5]"],
        ),
        (
            "SELECT integral(u, 10s) FROM cpu WHERE $W GROUP BY time(20s)",
            &["cpu (time,integral) [+0 7.25] [+20 9.5625] [+60 13.4375]"],
        ),
        (
            "SELECT integral(u), mean(u) FROM cpu WHERE $W GROUP BY time(20s)",
            &[
                "cpu (time,integral,mean) [+0 72.5 2] [+20 95.625 6] [+40 null null] [+60 134.375 6]",
            ],
        ),
    ]);
}

#[test]
fn averages_and_oscillators_start_after_their_hold_period() {
    check(&[
        (
            "SELECT exponential_moving_average(u, 2) FROM cpu",
            &[
                "cpu (time,exponential_moving_average) [+5 2.333333333333333] [+10 2.111111111111111] [+20 6.037037037037037] [+25 4.679012345679013] [+65 5.559670781893004]",
            ],
        ),
        (
            "SELECT exponential_moving_average(u, 2, 0, 'simple') FROM cpu",
            &[
                "cpu (time,exponential_moving_average) [+0 1] [+5 2] [+10 2] [+20 6] [+25 4.666666666666667] [+65 5.555555555555555]",
            ],
        ),
        (
            "SELECT relative_strength_index(u, 2) FROM cpu",
            &[
                "cpu (time,relative_strength_index) [+10 62.5] [+20 93.18181818181819] [+25 44.56521739130435] [+65 63.57142857142857]",
            ],
        ),
        (
            "SELECT chande_momentum_oscillator(u, 2) FROM cpu",
            &[
                "cpu (time,chande_momentum_oscillator) [+5 100] [+10 33.33333333333333] [+20 71.42857142857143] [+25 20] [+65 -33.33333333333333]",
            ],
        ),
    ]);
}

#[test]
fn forecasts_come_out_digit_for_digit() {
    check(&[
        (
            "SELECT holt_winters(mean(u), 2, 0) FROM cpu WHERE $W GROUP BY time(20s)",
            &["cpu (time,holt_winters) [+80 5.996306394792112] [+100 5.9963063963437975]"],
        ),
        (
            "SELECT holt_winters(mean(u), 3, 2) FROM cpu WHERE $W GROUP BY time(10s) fill(previous)",
            &[
                "cpu (time,holt_winters) [+80 5.855533516779567] [+90 5.760422054491242] [+100 5.836048106467704]",
            ],
        ),
        (
            "SELECT holt_winters_with_fit(mean(u), 2, 3) FROM cpu WHERE $W GROUP BY time(10s) fill(previous)",
            &[
                "cpu (time,holt_winters_with_fit) [+0 2] [+10 3.7564670579675457] [+20 4.48813754331168] [+30 4.980830102045252] [+40 5.787280818642501] [+50 6.043144675934059] [+60 6.202142315756232] [+70 6.865690507759829] [+80 6.966550936910529] [+90 7.018089630406298]",
            ],
        ),
    ]);
}
