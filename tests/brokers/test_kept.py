"""What is read once and then kept."""

from brokers.kept import kept


class Counting:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    @kept
    def answer(self) -> int:
        """The answer."""
        self.asked += 1
        return 42


def test_it_is_read_at_the_first_question_alone():
    counting, other = Counting(), Counting()
    assert counting.asked == 0
    assert (counting.answer, counting.answer, counting.asked, other.asked) == (42, 42, 1, 0)


def test_a_class_shows_what_is_kept():
    assert isinstance(Counting.answer, kept)
    assert Counting.answer.__doc__ == "The answer."
