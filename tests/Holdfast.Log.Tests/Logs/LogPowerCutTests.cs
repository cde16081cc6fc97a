using System.Globalization;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Logs;

/// Goal: whichever disk call is the last, and whatever of the calls before it reached the disk, the log opens without a word
/// of damage, holds all that was acknowledged as durable and a beginning of what was appended after it, groups whole, and
/// can be appended to.
///
/// Method: short programs are run once each; before each disk call every state is taken that a power cut may leave, and each
/// that differs is opened, read, appended to and opened again.
public sealed class LogPowerCutTests
{
    public static TheoryData<string, bool> Programs
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (string name in LogPrograms.All.Keys)
            {
                data.Add(name, false);
                data.Add(name, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void WhatWasAcknowledgedSurvivesEveryPowerCut(string name, bool stagesByName)
    {
        (LogProgram program, PowerCuts<LogMoment> cuts) = Run(name, stagesByName);
        IReadOnlyList<PowerCut<LogMoment>> found = cuts.End();
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{program.Disk.CallCount} disk calls, {found.Count} states"));
        // A frame of more than 4 KiB alone has more sectors than there are combinations to look at.
        if (name is not ("dropping" or "ring reopened")) Assert.True(cuts.IsAll, "too many states at once");
        Assert.InRange(found.Count, 20, 20_000);
        foreach (PowerCut<LogMoment> cut in found)
        {
            Explain($"{name}, {cut}", () => program.Recover(cut.Disk.Fork(), cut.Moments).GoOn());
        }
    }

    [Theory]
    [InlineData("groups")]
    [InlineData("dropping")]
    [InlineData("replacing")]
    [InlineData("ring")]
    [InlineData("ring reopened")]
    public void ASecondPowerCutWhileTheLogRecoversLosesNothingMore(string name)
    {
        (LogProgram program, PowerCuts<LogMoment> cuts) = Run(name, stagesByName: false);
        IReadOnlyList<PowerCut<LogMoment>> found = cuts.End();
        int step = Math.Max(1, found.Count / 60);
        for (int i = 0; i < found.Count; i += step)
        {
            PowerCut<LogMoment> cut = found[i];
            Explain($"{name}, {cut}", () => CutAgain(program, cut));
        }
    }

    /// Longer programs, drawn by chance, cut anywhere, also while they recover, several times in a row.
    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void DrawnProgramsSurviveOnePowerCutAfterTheOther(int seed)
    {
        for (int round = 0; round < 60; round++) Explain($"seed {seed}, round {round}", () => LiveSeveralTimes((seed * 1000) + round));
    }

    [Theory, Trait("Category", "Long")]
    [InlineData(100)]
    [InlineData(200)]
    public void DrawnProgramsSurvivePowerCutsFromManySeeds(int firstSeed)
    {
        for (int seed = firstSeed; seed < firstSeed + 20; seed++) DrawnProgramsSurviveOnePowerCutAfterTheOther(seed);
    }

    private static void LiveSeveralTimes(int seed)
    {
        const int Lives = 5;
        var random = new Random(seed);
        LogOptions options = random.Next(2) == 0 ? LogPrograms.Small : LogPrograms.Ring;
        var disk = new SimulatedDisk(seed, cutAt: random.Next(20, 300)) { StagesByName = random.Next(2) == 0 };
        var program = new LogProgram(disk, options, seed);
        for (int life = 0; life < Lives; life++)
        {
            try
            {
                if (life == 0) program.Open();
                LogPrograms.Drawn(program, random);
                program.Close();
            }
            catch (PowerCutException)
            {
                // As it was meant to be.
            }

            program = RecoverDrawn(program, disk, random, out disk);
        }

        program.Recover(disk.AfterPowerCut(), program.Moments).GoOn();
    }

    private static LogProgram RecoverDrawn(LogProgram program, SimulatedDisk disk, Random random, out SimulatedDisk next)
    {
        for (int attempt = 0; ; attempt++)
        {
            // Sooner or later it is left alone.
            next = disk.AfterPowerCut(random.Next(1000), attempt < 5 ? random.Next(5, 300) : int.MaxValue);
            disk = next;
            try
            {
                return program.Recover(next, program.Moments);
            }
            catch (PowerCutException)
            {
                // The same must be there the next time.
            }
        }
    }

    private static void CutAgain(LogProgram program, PowerCut<LogMoment> cut)
    {
        PowerCuts<IReadOnlyList<LogMoment>>? again = null;
        LogProgram second = program.Recover(
            cut.Disk.Fork(),
            cut.Moments,
            recovering => again = new PowerCuts<IReadOnlyList<LogMoment>>(recovering.Disk, () => recovering.Moments));
        second.Append(50, Durability.Each);
        foreach (PowerCut<IReadOnlyList<LogMoment>> next in again!.End())
        {
            LogMoment[] moments = [.. next.Moments.SelectMany(list => list).Distinct()];
            Explain($"then {next}", () => second.Recover(next.Disk.Fork(), moments).GoOn());
        }
    }

    private static (LogProgram Program, PowerCuts<LogMoment> Cuts) Run(string name, bool stagesByName)
    {
        (LogOptions options, Action<LogProgram> run) = LogPrograms.All[name];
        var disk = new SimulatedDisk(seed: 1) { StagesByName = stagesByName };
        var program = new LogProgram(disk, options, seed: 1);
        var cuts = new PowerCuts<LogMoment>(disk, () => program.Moments[0]);
        run(program);
        return (program, cuts);
    }

    private static void Explain(string where, Action check)
    {
        try
        {
            check();
        }
        catch (Exception reason)
        {
            throw new InvalidOperationException($"{where}: {reason.Message}", reason);
        }
    }
}
