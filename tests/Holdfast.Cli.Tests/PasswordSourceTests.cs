using System.Text;
using Holdfast.Cli.Output;
using Holdfast.Cli.Secrets;
using Holdfast.Cli.Terminals;
using Holdfast.Log;

namespace Holdfast.Cli.Tests;

public sealed class PasswordSourceTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("holdfast-password-").FullName;
    private readonly TestWorld world = new();

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData("secret", "secret")]
    [InlineData("secret\n", "secret")]
    [InlineData("secret\r\n", "secret")]
    [InlineData("secret\n\n", "secret\n")]
    [InlineData(" two words ", " two words ")]
    [InlineData("line\nline", "line\nline")]
    public async Task OfAFileOneLineEndIsLeftOut(string content, string password)
    {
        string file = WriteFile(content, UnixFileMode.UserRead);
        Assert.Equal(password, await GetAsync(file: file));
        Assert.Empty(world.Error.ToString());
    }

    [Fact]
    public async Task BytesThatAreNotUtf8AreKept()
    {
        string file = Path.Combine(directory, "key");
        await File.WriteAllBytesAsync(file, [0xff, 0, 0xfe], TestContext.Current.CancellationToken);
        using Password password = await CreateSource().GetAsync(new(file, null), "q", false, default);
        Assert.Equal([0xff, 0, 0xfe], password.Bytes.ToArray());

        world.Variables["HOLDFAST_PASSWORD"] = "caf\uDCE9";
        using Password fromVariable = await CreateSource().GetAsync(new(null, null), "q", false, default);
        Assert.Equal([.. "caf"u8, 0xe9], fromVariable.Bytes.ToArray());
    }

    [Fact]
    public async Task AFileThatOthersCanReadIsNoticedOnce()
    {
        string file = WriteFile("secret", UnixFileMode.UserRead | UnixFileMode.OtherRead);
        PasswordSource source = CreateSource();
        for (int i = 0; i < 2; i++) (await source.GetAsync(new(file, null), "q", false, default)).Dispose();
        Assert.Single(world.Error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(file, world.Error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACommandIsRunByTheShell() =>
        Assert.Equal("a b", await GetAsync(command: "echo \"a  b\" | tr -s ' '"));

    [Fact]
    public async Task ACommandThatFailsGivesNoPassword()
    {
        var error = await Assert.ThrowsAsync<HoldfastException>(() => GetAsync(command: "echo secret; exit 7"));
        Assert.Equal(ErrorKind.Usage, error.Kind);
        Assert.Contains("7", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACommandThatHangsEndsWithTheRun()
    {
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => CreateSource().GetAsync(new(null, "exec sleep 60"), "q", false, cancellation.Token));
    }

    [Fact]
    public async Task TwoFlagsOrTwoVariablesAreAnError()
    {
        Assert.Equal(ErrorKind.Usage, (await FailAsync(file: "/x", command: "y")).Kind);

        world.Variables["HOLDFAST_PASSWORD"] = "hunter2";
        world.Variables["HOLDFAST_PASSWORD_FILE"] = "/two";
        HoldfastException error = await FailAsync();
        Assert.Equal(ErrorKind.Usage, error.Kind);
        Assert.Contains("HOLDFAST_PASSWORD and HOLDFAST_PASSWORD_FILE", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFlagGoesBeforeVariables()
    {
        world.Variables["HOLDFAST_PASSWORD"] = "variable";
        world.Variables["HOLDFAST_PASSWORD_FILE"] = "/not/there";
        Assert.Equal("file", await GetAsync(file: WriteFile("file", UnixFileMode.UserRead)));
    }

    [Fact]
    public async Task EachVariableIsASource()
    {
        world.Variables["HOLDFAST_PASSWORD"] = "secret\n";
        Assert.Equal("secret\n", await GetAsync());
        world.Variables.Clear();
        world.Variables["HOLDFAST_PASSWORD_FILE"] = WriteFile("from file\n", UnixFileMode.UserRead);
        Assert.Equal("from file", await GetAsync());
        world.Variables.Clear();
        world.Variables["HOLDFAST_PASSWORD_COMMAND"] = "printf command";
        Assert.Equal("command", await GetAsync());
    }

    [Fact]
    public async Task AnEmptyPasswordIsRefused()
    {
        Assert.Equal(ErrorKind.Usage, (await FailAsync(file: WriteFile("\n", UnixFileMode.UserRead))).Kind);
        Assert.Equal(ErrorKind.Usage, (await FailAsync(command: "true")).Kind);
        // An empty variable is none, as is usual in shells.
        world.Variables["HOLDFAST_PASSWORD"] = "";
        Assert.Contains("no password is given", (await FailAsync()).Message, StringComparison.Ordinal);
        world.Variables.Clear();
        world.Typed = new(["", ""]);
        Assert.Contains("empty", (await FailAsync(confirm: true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatIsMissingOrTooLongIsNamed()
    {
        Assert.Contains("no such file", (await FailAsync(file: "/not/there")).Message, StringComparison.Ordinal);
        Assert.Contains("64", (await FailAsync(file: WriteFile(new string('x', 65_537), UnixFileMode.UserRead))).Message, StringComparison.Ordinal);
        Assert.Contains("longer", (await FailAsync(command: "yes")).Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Usage, (await FailAsync(file: directory)).Kind);
    }

    [Fact]
    public async Task APersonIsAskedOnceForAnOldPasswordAndTwiceForANewOne()
    {
        world.Typed = new(["secret"]);
        Assert.Equal("secret", await GetAsync());

        world.Typed = new(["fresh", "fresh"]);
        Assert.Equal("fresh", await GetAsync(confirm: true));
        world.Typed = new(["fresh", "flesh"]);
        Assert.Contains("differ", (await FailAsync(confirm: true)).Message, StringComparison.Ordinal);
        Assert.Equal(5, world.Questions.Count);
    }

    [Fact]
    public async Task WithNobodyToAskTheErrorSaysWhatToDo()
    {
        HoldfastException error = await FailAsync();
        Assert.Equal(ErrorKind.Usage, error.Kind);
        Assert.Contains("--password-file", error.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void APasswordIsNeverShownAndIsWiped()
    {
        byte[] bytes = [1, 2, 3];
        var password = new Password(bytes);
        Assert.Equal("(password)", password.ToString());
        password.Dispose();
        Assert.Equal([0, 0, 0], bytes);
    }

    private string WriteFile(string content, UnixFileMode mode)
    {
        string file = Path.Combine(directory, Guid.NewGuid().ToString("N"));
        File.WriteAllText(file, content);
        File.SetUnixFileMode(file, mode);
        return file;
    }

    private PasswordSource CreateSource()
    {
        var output = new CommandOutput(new(false, false, false, false), world.Output, world.Error, Terminal.None, world.Clock);
        return new PasswordSource(name => world.Variables.GetValueOrDefault(name), output, world);
    }

    private async Task<string> GetAsync(string? file = null, string? command = null, bool confirm = false)
    {
        using Password password = await CreateSource().GetAsync(
            new(file, command), "password", confirm, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(password.Bytes.Span);
    }

    private Task<HoldfastException> FailAsync(string? file = null, string? command = null, bool confirm = false) =>
        Assert.ThrowsAsync<HoldfastException>(() => GetAsync(file, command, confirm));
}
