using System.Globalization;
using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Crashes;

/// Goal: whatever a power cut leaves, the store opens with all that was acknowledged as durable, and with nothing that
/// never was.
/// Method: all programs of a length over an alphabet, behind a beginning; at each call to the disk all states that a
/// power
/// cut may leave; each of them is opened, compared with the history, merged, emptied and opened again.
public sealed class CrashStateTests
{
    private const int Seed = 1;

    /// What is there before: nothing; a tombstone that must stay, since the record that it hides is in a segment that
    /// is not merged; an expired record
    /// that must leave a tombstone; a merge behind; a merge and what a checkpoint seals.
    public static TheoryData<string, string, int> ShortPrograms => new()
    {
        { "", "aAXBLMC", 3 },
        { "aLbs", "aAgeO", 3 },
        { "LaLCbbACs", "abmO", 3 },
        { "LaLCbbACs", "Mb", 2 },
        { "LaLCbbXCs", "am", 3 },
        { "abLMaLs", "AbBmM", 3 },
        { "abLMaLs", "aC", 2 },
    };

    public static TheoryData<string, string, int> LongerPrograms => new()
    {
        { "", "aAXBMC", 4 },
        { "aLbs", "abAXBgeLsO", 3 },
        { "LaLCbbACs", "aAbmMO", 3 },
        { "LaLCbbXCs", "aAmMO", 3 },
        { "abLMaLs", "AbBXmMO", 3 },
    };

    [Theory]
    [MemberData(nameof(ShortPrograms))]
    public void EveryCrashOfEveryShortProgramLeavesAMomentOfItsHistory(string beginning, string alphabet, int length) =>
        RunAll(beginning, alphabet, length, KeydirKind.Compact);

    [Theory]
    [Trait("Category", "Long")]
    [MemberData(nameof(LongerPrograms))]
    public void EveryCrashOfEveryLongerProgramLeavesAMomentOfItsHistory(string beginning, string alphabet, int length)
    {
        RunAll(beginning, alphabet, length, KeydirKind.Compact);
        RunAll(beginning, alphabet, length - 1, KeydirKind.Ordered);
    }

    [Theory]
    [InlineData("LaLCbbACs", "m")]
    [InlineData("aLXbs", "M")]
    [InlineData("aLs", "bLO")]
    public void ACrashWhileACrashIsRepairedLeavesAMomentOfTheHistory(string beginning, string operations)
    {
        using Run run = Run.Of(beginning, operations, KeydirKind.Compact);
        foreach (PowerCut<(int Durable, int Made)> first in run.Cuts)
        {
            SimulatedHost host = SimulatedHost.Create(Seed + 1) with { Disk = first.Disk.Fork() };
            var second = new PowerCuts<int>(host.Disk, () => 0);
            using (BitcaskStore.Open(host, CrashProgram.Directory, StoreTesting.Small))
            {
            }

            foreach (PowerCut<int> cut in second.End())
            {
                run.Check(cut.Disk, $"{first}, then {cut}", first.Moments, KeydirKind.Compact);
            }

            Assert.True(second.IsAll, first.ToString());
        }
    }

    private static void RunAll(string beginning, string alphabet, int length, KeydirKind keydir)
    {
        // Programs share their beginnings, so most states are met again and again: they are looked at once.
        var known = new Dictionary<string, CrashedStore>(StringComparer.Ordinal);
        int count = (int)Math.Pow(alphabet.Length, length);
        long merged = 0;
        for (int number = 0; number < count; number++)
        {
            using Run run = Run.Of(beginning, ProgramOf(number, alphabet, length), keydir, known);
            foreach (PowerCut<(int Durable, int Made)> cut in run.Cuts) run.Check(
                cut.Disk, cut.ToString(), cut.Moments, keydir);
            merged += run.MergedSegments;
        }

        Assert.True(merged > 0 || !alphabet.Contains('m', StringComparison.OrdinalIgnoreCase), "nothing was merged");
        Assert.True(known.Count > alphabet.Length, string.Create(CultureInfo.InvariantCulture, $"{known.Count} states of {count} programs"));
    }

    private static string ProgramOf(int number, string alphabet, int length)
    {
        char[] operations = new char[length];
        for (int i = 0; i < length; i++)
        {
            operations[i] = alphabet[number % alphabet.Length];
            number /= alphabet.Length;
        }

        return new string(operations);
    }

    /// A program that was run, and the states that power cuts leave of it.
    private sealed class Run : IDisposable
    {
        private readonly CrashProgram program;
        private readonly string name;
        private readonly Dictionary<string, CrashedStore> known;

        private Run(CrashProgram program, string name, Dictionary<string, CrashedStore> known)
        {
            this.program = program;
            this.name = name;
            this.known = known;
        }

        public required IReadOnlyList<PowerCut<(int Durable, int Made)>> Cuts { get; init; }

        public long MergedSegments => program.MergedSegments;

        public static Run Of(
            string beginning, string operations, KeydirKind keydir, Dictionary<string, CrashedStore>? known = null)
        {
            SimulatedHost host = SimulatedHost.Create(Seed);
            CrashProgram program = null!;
            // Without a beginning the making of the store can be cut, too.
            bool isWatchedFromTheStart = beginning.Length == 0;
            PowerCuts<(int Durable, int Made)>? cuts = null;
            if (isWatchedFromTheStart) cuts = new(host.Disk, () => program?.Moment ?? (0, 0));
            program = new CrashProgram(host, keydir);
            program.Run(beginning);
            cuts ??= new(host.Disk, () => program.Moment);
            program.Run(operations);
            string name = $"'{beginning}' '{operations}'";
            var run = new Run(program, name, known ?? new Dictionary<string, CrashedStore>(StringComparer.Ordinal)) { Cuts = cuts.End() };
            Assert.True(cuts.IsAll, $"{name}: too many states");
            return run;
        }

        public void Check(
            SimulatedDisk state, string where, IReadOnlyList<(int Durable, int Made)> moments, KeydirKind keydir)
        {
            string fingerprint = state.Fingerprint();
            if (!known.TryGetValue(fingerprint, out CrashedStore? found))
            {
                found = CrashedStore.LookAt(SimulatedHost.Create(Seed + 2) with { Disk = state.Fork() }, keydir);
                known.Add(fingerprint, found);
            }

            Assert.True(found.Fault is null, $"{name}: {where}: {found.Fault}");
            foreach ((int durable, int made) in moments)
            {
                IEnumerable<string> legal = program.History.Take(made + 1).Skip(durable);
                Assert.True(
                    legal.Contains(found.Content),
                    $"{name}: {where}: found '{found.Content}', not one of: {string.Join(" | ", legal)}");
            }

            foreach ((int index, string content) in found.Checkpoints)
            {
                string expected = program.History[program.Checkpoints[index]];
                Assert.True(
                    content == expected, $"{name}: {where}: checkpoint {index} has '{content}', expected '{expected}'");
            }
        }

        public void Dispose() => program.Dispose();
    }
}
