namespace Holdfast.Testing.Simulation;

/// <summary>
/// What a power cut leaves where several things are legal: asked in the order of the changes, the same each time.
/// </summary>
internal abstract class CrashChoices
{
    /// <summary>The names, or the content of the next file, are looked at.</summary>
    public virtual void BeginGroup()
    {
    }

    /// <summary>Whether the next change survives.</summary>
    public abstract bool Survives();

    /// <summary>After how many of some changes a file has its length.</summary>
    public abstract int LengthAfter(int changes);
}

/// <summary>One state drawn by chance.</summary>
internal sealed class RandomChoices(Random random) : CrashChoices
{
    private double chance;

    // Nothing, all and a mixture are each likely: the extremes find the most.
    public override void BeginGroup() =>
        chance = random.Next(4) switch { 0 => 0, 1 => 1, 2 => 0.5, _ => random.NextDouble() };

    public override bool Survives() => random.NextDouble() < chance;

    public override int LengthAfter(int changes) =>
        random.Next(3) switch { 0 => 0, 1 => changes, _ => random.Next(changes + 1) };
}

/// <summary>
/// All states one after the other: each round answers the last question that has another answer left differently.
/// </summary>
/// <remarks>What is asked may depend on the answers before, but on nothing else.</remarks>
internal sealed class EveryChoice : CrashChoices
{
    private readonly List<(int Answer, int Answers)> asked = [];
    private int next;

    /// <summary>How many states there are if what was asked for this one is all that is ever asked.</summary>
    public double Combinations => asked.Aggregate(1.0, (product, question) => product * question.Answers);

    /// <summary>Goes to the next state; false when all were seen.</summary>
    public bool Advance()
    {
        next = 0;
        while (asked.Count > 0)
        {
            (int answer, int answers) = asked[^1];
            asked.RemoveAt(asked.Count - 1);
            if (answer + 1 == answers) continue;
            asked.Add((answer + 1, answers));
            return true;
        }

        return false;
    }

    public override bool Survives() => Answer(2) == 0;

    public override int LengthAfter(int changes) => changes - Answer(changes + 1);

    private int Answer(int answers)
    {
        if (next == asked.Count) asked.Add((0, answers));
        return asked[next++].Answer;
    }
}

/// <summary>
/// A state told by which changes are lost, counted as they are asked for; lengths are as after all changes, or after none.
/// </summary>
internal sealed class LosingChoices(Func<int, bool> isLost, bool keepsLength = true) : CrashChoices
{
    /// <summary>How many changes were asked for.</summary>
    public int Asked { get; private set; }

    public override bool Survives() => !isLost(Asked++);

    public override int LengthAfter(int changes) => keepsLength ? changes : 0;
}
