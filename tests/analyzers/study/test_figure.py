from analyzers.picture import png
from analyzers.study.figure import figure
from analyzers.study.ranking import ranking
from tests.analyzers.study.test_ranking import AT, FRAMES, MOMENTUM, REPORT


def test_each_horizon_has_a_coefficient_with_its_error_and_a_bar_a_quantile():
    worth, returns = figure(REPORT).axes
    first = REPORT.judged[0]
    [dot] = worth.containers[0].lines[0].get_ydata()
    assert dot == first.ic_mean
    [segment] = worth.containers[0].lines[2][0].get_segments()
    assert abs(segment[1, 1] - dot - 2 * abs(first.ic_mean / first.ic_t)) < 1e-12
    heights = [bar.get_height() for bar in returns.patches]
    assert heights == [value for item in REPORT.judged for value in item.quantile_returns]
    assert [text.get_text() for text in returns.get_legend().get_texts()] == ["1", "2", "3"]


def test_what_is_not_known_stays_empty():
    report = ranking({"S0": FRAMES["S0"]}, generated_at=AT, settings=MOMENTUM)
    worth, returns = figure(report).axes
    assert (len(worth.containers), len(returns.patches), returns.get_legend()) == (0, 0, None)
    assert png(figure(report)).startswith(b"\x89PNG")
