"""The conversation that is shown is the same on all adapters, and every step of it is sound."""

from agent.bench import conversation


async def test_the_same_conversation_is_held_with_the_same_model_behind_each_adapter() -> None:
    report = await conversation.measure()
    adapters = report["adapters"]

    assert [one["adapter"].split(",")[0] for one in adapters] == ["ollama", "openai", "in process"]
    for one in adapters:
        steps = [line.split()[0] for line in one["lines"]]
        assert steps == ["user", "assistant", "user", "call", "result", "user", "verdict"]
        assert one["goes_on"] == 1
        assert conversation.CUT in one["lines"][1]
        said = one["lines"][-1].partition("{")
        assert conversation.Verdict.model_validate_json(said[1] + said[2]).euros >= 1
    # The same model reads the same beginning through each of them.
    assert len({one["prompt_tokens"][0] for one in adapters}) == 1
    assert len({one["lines"][1].partition(conversation.CUT)[0] for one in adapters}) == 1
    shown = "\n".join(conversation.lines(report))
    assert shown.count("verdict") == 3
