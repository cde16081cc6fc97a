namespace Holdfast.Log.Tests.Logs;

/// <summary>Short uses of a log that together make every call to the disk that a log makes.</summary>
internal static class LogPrograms
{
    /// <summary>The smallest segments and buffers.</summary>
    public static readonly LogOptions Small = new() { Purpose = "test", SegmentBytes = 4096, BufferBytes = 1024 };

    /// <summary>Two sectors of zeros are written ahead.</summary>
    public static readonly LogOptions Ahead = Small with { SegmentBytes = 64 << 10 };

    public static readonly LogOptions Ring = Small with { RingSegments = 3 };

    public static readonly IReadOnlyDictionary<string, (LogOptions Options, Action<LogProgram> Run)> All =
        new Dictionary<string, (LogOptions, Action<LogProgram>)>(StringComparer.Ordinal)
        {
            ["singles"] = (Small, Singles),
            ["groups"] = (Small, Groups),
            ["reopening"] = (Small, Reopening),
            ["dropping"] = (Small, Dropping),
            ["replacing"] = (Small, Replacing),
            ["replacing twice"] = (Small, ReplacingTwice),
            ["replacing by nothing"] = (Small, ReplacingByNothing),
            ["writing ahead"] = (Ahead, WritingAhead),
            ["ring"] = (Ring, InARing),
            ["ring reopened"] = (Ring, RingReopened),
            ["ring replaced"] = (Ring, Replacing),
        };

    /// <summary>Some steps drawn by chance; the log is open before and after.</summary>
    public static void Drawn(LogProgram program, Random random)
    {
        int steps = random.Next(5, 60);
        for (int i = 0; i < steps; i++)
        {
            LogSegment[] complete = [.. program.Log.Segments.Where(s => s.IsSealed && !s.HasReplaced && !s.IsBeingReplaced)];
            switch (random.Next(12))
            {
                case 0: program.Sync(); break;
                case 1: _ = program.Seal(); break;
                case 2 or 3: program.AppendGroup(Draw(random), [.. Enumerable.Range(0, random.Next(2, 5)).Select(_ => random.Next(700))]); break;
                case 4 when complete.Length > 1: program.Drop(complete[random.Next(complete.Length)]); break;
                case 5 when complete.Length > 1: ReplaceDrawn(program, random, complete); break;
                case 6 when random.Next(3) == 0:
                    program.Close();
                    program.Open();
                    break;
                default: program.Append(random.Next(10) == 0 ? 5000 : random.Next(600), Draw(random)); break;
            }
        }
    }

    private static void ReplaceDrawn(LogProgram program, Random random, LogSegment[] complete)
    {
        LogSegment[] replaced = [.. complete.Where(_ => random.Next(2) == 0)];
        if (replaced.Length == 0) return;
        int kept = random.Next(3);
        LogSegment? heir = program.Replace(
            replaced,
            id => id % 3 < kept,
            () => program.Append(random.Next(600), Draw(random)),
            commits: random.Next(4) > 0);
        if (heir is null) return;
        random.Shuffle(replaced);
        foreach (LogSegment segment in replaced) program.Drop(segment);
    }

    private static Durability Draw(Random random) =>
        random.Next(3) switch { 0 => Durability.Each, 1 => Durability.Group, _ => Durability.None };

    private static void Singles(LogProgram program)
    {
        program.Open();
        program.Append(100, Durability.None);
        program.Append(500, Durability.None);
        program.Append(700, Durability.Each);
        program.Append(200, Durability.None);
        program.Append(10, Durability.Group);
        program.Append(900, Durability.None);
        program.Sync();
        for (int i = 0; i < 12; i++) program.Append(700, i % 3 == 0 ? Durability.None : Durability.Each);
        program.Close();
    }

    private static void Groups(LogProgram program)
    {
        program.Open();
        program.AppendGroup(Durability.None, 20, 30, 40);
        program.AppendGroup(Durability.Group, 10);
        // More than the buffer holds.
        program.AppendGroup(Durability.None, 300, 500, 400);
        program.Append(5, Durability.Each);
        // Rolls over.
        for (int i = 0; i < 5; i++) program.AppendGroup(i % 2 == 0 ? Durability.Each : Durability.None, 100, 600, 7);
        // A frame larger than the buffer.
        program.AppendGroup(Durability.Each, 8, 1100);
        program.Close();
    }

    private static void WritingAhead(LogProgram program)
    {
        program.Open();
        program.Append(100, Durability.Each);
        for (int i = 0; i < 6; i++) program.Append(300, i % 2 == 0 ? Durability.Each : Durability.Group);
        program.Append(300, Durability.None);
        program.Append(200, Durability.Each);
        _ = program.Seal();
        for (int i = 0; i < 3; i++) program.Append(100, Durability.Each);
        program.Close();
        program.Open();
        for (int i = 0; i < 3; i++) program.Append(400, Durability.Group);
        program.Close();
    }

    private static void Reopening(LogProgram program)
    {
        for (int i = 0; i < 4; i++)
        {
            program.Open();
            program.Append(300 + i, Durability.Each);
            program.AppendGroup(Durability.None, 200, 201, 202);
            if (i == 2) _ = program.Seal();
            program.Close();
        }
    }

    private static void Dropping(LogProgram program)
    {
        program.Open();
        program.Append(100, Durability.Each);
        LogSegment first = program.Seal()!;
        program.Append(200, Durability.None);
        LogSegment second = program.Seal()!;
        program.Append(300, Durability.Each);
        program.Drop(first);
        LogSegment third = program.Seal()!;
        // The highest number: it must not be used again.
        program.Drop(third);
        program.Close();
        program.Open();
        program.Drop(program.Log.Find(second.Number)!);
        // Empty, and too small for what comes.
        program.Append(4500, Durability.Each);
        program.Drop(program.Seal()!);
        program.Close();
        program.Open();
        program.Append(10, Durability.Each);
        program.Close();
    }

    private static void Replacing(LogProgram program)
    {
        program.Open();
        program.Append(100, Durability.None);
        program.Append(110, Durability.Each);
        LogSegment first = program.Seal()!;
        program.Append(120, Durability.None);
        program.Append(130, Durability.None);
        LogSegment second = program.Seal()!;
        _ = program.Replace([first], _ => true, commits: false);
        program.Append(140, Durability.None);
        _ = program.Replace([first, second], id => id % 2 == 0, () => program.Append(150, Durability.None));
        program.Append(160, Durability.Each);
        program.Drop(first);
        program.Append(165, Durability.None);
        program.Drop(second);
        program.Append(170, Durability.Each);
        program.Close();
    }

    private static void ReplacingTwice(LogProgram program)
    {
        program.Open();
        for (int i = 0; i < 3; i++)
        {
            program.Append(100 + i, Durability.None);
            program.Append(110 + i, Durability.None);
            _ = program.Seal();
        }

        LogSegment[] sealedOnes = [.. program.Log.Segments];
        LogSegment heir = program.Replace([sealedOnes[0], sealedOnes[2]], id => id != 0)!;
        program.Append(200, Durability.Each);
        program.Drop(sealedOnes[0]);
        program.Drop(sealedOnes[2]);
        // Where the disk did not let go of one, not before the log is opened again.
        if (!heir.HasReplaced)
        {
            _ = program.Replace([heir, sealedOnes[1]], id => id != 1);
            program.Drop(heir);
            program.Drop(sealedOnes[1]);
        }

        program.Append(210, Durability.None);
        program.Close();
        program.Open();
        program.Append(220, Durability.Each);
        program.Close();
    }

    private static void ReplacingByNothing(LogProgram program)
    {
        program.Open();
        program.Append(100, Durability.Each);
        LogSegment first = program.Seal()!;
        _ = program.Replace([first], _ => false);
        program.Drop(first);
        program.Close();
        program.Open();
        program.Append(110, Durability.Each);
        LogSegment second = program.Seal()!;
        _ = program.Replace([second], _ => false, () => program.Append(120, Durability.None));
        program.Drop(second);
        program.Append(130, Durability.Each);
        program.Close();
    }

    private static void InARing(LogProgram program)
    {
        program.Open();
        for (int lap = 0; lap < 5; lap++)
        {
            program.Append(900, Durability.Each);
            program.Append(300, Durability.None);
            program.Append(400, Durability.None);
            program.AppendGroup(Durability.Each, 900, 20);
            program.Append(900, Durability.Each);
            program.Append(700, Durability.Each);
            if (lap > 0) program.Drop(program.Log.Segments[0]);
        }

        program.Close();
    }

    private static void RingReopened(LogProgram program)
    {
        program.Open();
        program.Append(100, Durability.Each);
        program.Close();
        for (int i = 0; i < 3; i++)
        {
            program.Open();
            // Larger than a segment of the ring.
            if (i == 1) program.Append(4500, Durability.Each);
            program.Append(200, Durability.None);
            program.Append(700, Durability.None);
            program.Sync();
            LogSegment segment = program.Seal()!;
            program.Drop(program.Log.Segments[0]);
            if (i == 2) program.Drop(segment);
            program.Close();
        }
    }
}
