using System.Globalization;
using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Crashes;

/// Goal: whatever a power cut leaves, the store opens with all that was acknowledged as durable, and with nothing that never was.
/// Method: all programs of a length over an alphabet, behind a beginning; at each call to the disk all states that a power
/// cut may leave; each of them is opened, compared with the history, merged, emptied and opened again.
public sealed class CrashStateTests
{
    private const int Seed = 1;

    /// What is there before: nothing; a tombstone that must stay, since an older segment is left; one that may go; an expired record above a
    /// live one; a merge behind and a checkpoint taken.
    public static TheoryData<string, string, int> ShortPrograms => new()
    {
        { "", "aAXBgLMC", 3 },
        { "aLbLs", "AXBemO", 3 },
        { "aLbbALs", "abLmMO", 3 },
        { "aLXLs", "amMC", 3 },
        { "abLMaLs", "AbBmMC", 3 },
    };

    public static TheoryData<string, string, int> LongerPrograms => new()
    {
        { "", "abAXBgeLsmMCO", 4 },
        { "aLbLs", "aAXBLmMO", 4 },
        { "aLbbALs", "abLmMO", 4 },
        { "aLXLs", "amMCO", 4 },
        { "abLMaLs", "AbBmMCO", 4 },
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
    [InlineData("aLbbALs", "m")]
    [InlineData("aLXLbs", "M")]
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
        for (int number = 0; number < count; number++)
        {
            using Run run = Run.Of(beginning, ProgramOf(number, alphabet, length), keydir, known);
            foreach (PowerCut<(int Durable, int Made)> cut in run.Cuts) run.Check(cut.Disk, cut.ToString(), cut.Moments, keydir);
        }

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

        public void Check(SimulatedDisk state, string where, IReadOnlyList<(int Durable, int Made)> moments, KeydirKind keydir)
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
                Assert.True(content == expected, $"{name}: {where}: checkpoint {index} has '{content}', expected '{expected}'");
            }
        }

        public void Dispose() => program.Dispose();
    }
}
