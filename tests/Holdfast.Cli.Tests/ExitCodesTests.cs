using Holdfast.Log;

namespace Holdfast.Cli.Tests;

public class ExitCodesTests
{
    [Theory]
    [InlineData(ErrorKind.Failed, 1, "failed")]
    [InlineData(ErrorKind.Usage, 2, "usage")]
    [InlineData(ErrorKind.Incomplete, 3, "incomplete")]
    [InlineData(ErrorKind.NotThere, 10, "notThere")]
    [InlineData(ErrorKind.Busy, 11, "busy")]
    [InlineData(ErrorKind.WrongKey, 12, "wrongKey")]
    [InlineData(ErrorKind.Damage, 13, "damage")]
    [InlineData(ErrorKind.Unverified, 14, "unverified")]
    [InlineData(ErrorKind.Refused, 15, "refused")]
    [InlineData(ErrorKind.Degraded, 16, "degraded")]
    public async Task AFailureEndsWithItsCodeAndOneLineEachForPeopleAndPrograms(ErrorKind kind, int code, string name)
    {
        var world = new TestWorld { Verb = (_, _, _) => throw new HoldfastException(kind, "vault /v: wrong", "mend it") };

        Assert.Equal(code, await world.RunAsync("points"));
        Assert.Equal("holdfast: vault /v: wrong\n  mend it\n", world.Error.ToString());
        Assert.Empty(world.Output.ToString());

        Assert.Equal(code, await world.RunAsync("points", "--json"));
        Assert.Equal(
            $$"""{"type":"error","code":{{code}},"kind":"{{name}}","message":"vault /v: wrong","hint":"mend it"}""" + "\n",
            world.Output.ToString());
    }

    [Fact]
    public async Task AnUnexpectedErrorIsOneLineUnlessDebuggingIsAskedFor()
    {
        var world = new TestWorld { Verb = (_, _, _) => throw new InvalidOperationException("bad\nstate") };
        Assert.Equal(1, await world.RunAsync("points"));
        Assert.Equal(2, world.Error.ToString().Count(c => c == '\n'));
        Assert.DoesNotContain("   at ", world.Error.ToString(), StringComparison.Ordinal);

        world.Variables["HOLDFAST_DEBUG"] = "1";
        Assert.Equal(1, await world.RunAsync("points"));
        Assert.Contains("   at ", world.Error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, 130)]
    [InlineData(15, 143)]
    [InlineData(1, 129)]
    public async Task ASignalStopsTheWorkAndIsTheExitCode(int signal, int code)
    {
        using Signals signals = Signals.Listen();
        var world = new TestWorld
        {
            Verb = async (_, _, token) =>
            {
                signals.Raise(signal);
                await Task.Delay(Timeout.Infinite, token);
                return 0;
            },
        };
        Assert.Equal(code, await world.CreateApp().RunAsync(["points"], signals));
        Assert.Equal("holdfast: interrupted\n", world.Error.ToString());
    }

    [Fact]
    public async Task AReaderThatWentAwayEndsTheRunQuietly()
    {
        var world = new TestWorld { Verb = (_, _, _) => throw new Terminals.OutputClosedException() };
        Assert.Equal(141, await world.RunAsync("points"));
        Assert.Empty(world.Error.ToString());
    }

    [Theory]
    [InlineData(0, 16, 16)]
    [InlineData(16, 3, 3)]
    [InlineData(3, 13, 13)]
    [InlineData(13, 16, 13)]
    [InlineData(13, 1, 1)]
    [InlineData(0, 0, 0)]
    public void TheGraverOutcomeCounts(int first, int second, int combined)
    {
        Assert.Equal(combined, ExitCodes.Combine(first, second));
        Assert.Equal(combined, ExitCodes.Combine(second, first));
    }
}
