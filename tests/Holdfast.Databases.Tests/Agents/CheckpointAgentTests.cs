using System.Net.Sockets;
using System.Text;
using Holdfast.Databases.Agents;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Databases.Tests.Agents;

/// The agent in the program that owns a database, and those who ask it.
public sealed class CheckpointAgentTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    private DatabaseAddress Address => new("bitcask", $"{directory.Path}/store");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public CheckpointAgentTests() => Directory.CreateDirectory(Address.Path);

    public void Dispose() => directory.Dispose();

    [Fact]
    public void WhatTheOwnerCapturesIsToldWhole()
    {
        var owner = new FakeOwner(Address);
        using CheckpointAgent agent = CheckpointAgent.Start(owner);

        Capture capture = Ask(new CaptureOptions { Flush = false, MaxBytesPerSecond = 5_000_000_000 });

        Assert.Equal(("id", ulong.MaxValue, CaptureWay.Agent), (capture.Database, capture.Sequence!.Value, capture.Way));
        Assert.Equal(owner.Files, capture.Files);
        Assert.Equal(($"{directory.Path}/copy", false, 5_000_000_000), (owner.Directory, owner.Options!.Flush, owner.Options.MaxBytesPerSecond));
    }

    [Fact]
    public void TheOwnersFailureIsToldToWhoAsked()
    {
        var owner = new FakeOwner(Address) { Failure = new HoldfastException(ErrorKind.Busy, "it: is busy", "wait") };
        using CheckpointAgent agent = CheckpointAgent.Start(owner);

        var failure = Assert.Throws<HoldfastException>(() => Ask(new CaptureOptions()));

        Assert.Equal((ErrorKind.Busy, "it: is busy", "wait"), (failure.Kind, failure.Message, failure.Hint));
        owner.Failure = null;
        Assert.Equal("id", Ask(new CaptureOptions()).Database);
    }

    [Fact]
    public void WithoutAnAgentThereIsNone()
    {
        Assert.Null(AgentSource.TryFind(Address));
        Assert.Null(AgentSource.TryFind(Address with { Path = "/no/such/directory" }));
        CheckpointAgent.Start(new FakeOwner(Address)).Dispose();
        Assert.Null(AgentSource.TryFind(Address));
        Assert.Empty(Directory.GetFileSystemEntries(Address.Path));
    }

    [Fact]
    public void ASocketThatAKilledOwnerLeftIsNoAgentAndStopsNoOther()
    {
        using (var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            left.Bind(new UnixDomainSocketEndPoint($"{Address.Path}/held"));
            File.Move($"{Address.Path}/held", $"{Address.Path}/holdfast.sock");
        }

        Assert.True(File.Exists($"{Address.Path}/holdfast.sock"));
        Assert.Null(AgentSource.TryFind(Address));
        using CheckpointAgent agent = CheckpointAgent.Start(new FakeOwner(Address));
        Assert.NotNull(AgentSource.TryFind(Address));
    }

    [Fact]
    public void ADatabaseHasOneAgent()
    {
        using CheckpointAgent agent = CheckpointAgent.Start(new FakeOwner(Address));

        Assert.Equal(ErrorKind.Busy, Assert.Throws<HoldfastException>(() => CheckpointAgent.Start(new FakeOwner(Address))).Kind);
        Assert.Equal("id", Ask(new CaptureOptions()).Database);
    }

    [Fact]
    public void ThePathOfADatabaseMayBeLongerThanASocketsAddress()
    {
        DatabaseAddress deep = Address with { Path = $"{Address.Path}/{string.Join('/', Enumerable.Repeat(new string('ä', 60), 5))}" };
        Directory.CreateDirectory(deep.Path);
        using CheckpointAgent agent = CheckpointAgent.Start(new FakeOwner(deep));

        Assert.Equal("id", AgentSource.TryFind(deep)!.Capture($"{directory.Path}/copy", new CaptureOptions(), Stop).Database);
    }

    [Fact]
    public void OnlyTheOwnersUserMayOpenTheSocket()
    {
        using CheckpointAgent agent = CheckpointAgent.Start(new FakeOwner(Address));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode($"{Address.Path}/holdfast.sock"));
    }

    [Fact]
    public async Task AnAgentThatEndsGivesTheCopyUpAndTheAskerIsTold()
    {
        var owner = new FakeOwner(Address) { Waits = true };
        CheckpointAgent agent = CheckpointAgent.Start(owner);
        Task<Capture> asked = Task.Run(() => Ask(new CaptureOptions()), Stop);
        owner.Begun.Wait(Stop);

        agent.Dispose();

        Assert.Equal(ErrorKind.Failed, (await Assert.ThrowsAsync<HoldfastException>(() => asked)).Kind);
        Assert.True(owner.WasCancelled);
    }

    [Fact]
    public async Task WhoGoesAwayStopsTheCopyThatWasMadeForHim()
    {
        var owner = new FakeOwner(Address) { Waits = true };
        using CheckpointAgent agent = CheckpointAgent.Start(owner);
        using var leaving = new CancellationTokenSource();
        Task asked = Task.Run(() => AgentSource.TryFind(Address)!.Capture($"{directory.Path}/copy", new CaptureOptions(), leaving.Token), Stop);
        owner.Begun.Wait(Stop);

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        owner.Ended.Wait(Stop);
        Assert.True(owner.WasCancelled);
        owner.Waits = false;
        Assert.Equal("id", Ask(new CaptureOptions()).Database);
    }

    [Theory]
    [InlineData("hello\n")]
    [InlineData("{\"holdfast\":1}\n")]
    [InlineData("{\"holdfast\":2,\"capture\":\"/x\",\"flush\":true}\n")]
    [InlineData("{\"holdfast\":1,\"capture\":\"relative\",\"flush\":true}\n")]
    [InlineData("[]\n")]
    public void WhatIsNotUnderstoodIsAnsweredSo(string question)
    {
        var owner = new FakeOwner(Address);
        using CheckpointAgent agent = CheckpointAgent.Start(owner);

        string answer = Talk(Encoding.UTF8.GetBytes(question));

        Assert.Contains("does not understand", answer, StringComparison.Ordinal);
        Assert.Null(owner.Directory);
        Assert.Equal("id", Ask(new CaptureOptions()).Database);
    }

    [Fact]
    public void AnEndlessQuestionIsCutOff()
    {
        using CheckpointAgent agent = CheckpointAgent.Start(new FakeOwner(Address));

        using Socket socket = AgentSource.TryConnect(Address.Path)!;
        byte[] zeros = new byte[64 << 10];
        Assert.ThrowsAny<SocketException>(() =>
        {
            for (int i = 0; i < 1000; i++) socket.Send(zeros);
        });
        Assert.Equal("id", Ask(new CaptureOptions()).Database);
    }

    [Theory]
    [InlineData("{\"holdfast\":1,\"engine\":\"rocksdb\",\"files\":[]}\n")]
    [InlineData("{\"holdfast\":1,\"engine\":\"bitcask\",\"files\":[{\"name\":\"../x\",\"transfer\":0}]}\n")]
    [InlineData("{\"holdfast\":9,\"engine\":\"bitcask\",\"files\":[]}\n")]
    [InlineData("no json\n")]
    [InlineData("")]
    public async Task AnAnswerThatCannotBeIsRefused(string answer)
    {
        using var impostor = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        impostor.Bind(new UnixDomainSocketEndPoint($"{Address.Path}/holdfast.sock"));
        impostor.Listen();
        Task serving = Task.Run(
            () =>
            {
                impostor.Accept().Dispose();
                using Socket asker = impostor.Accept();
                _ = asker.Receive(new byte[4096]);
                asker.Send(Encoding.UTF8.GetBytes(answer));
            },
            Stop);

        Assert.Equal(ErrorKind.Failed, Assert.Throws<HoldfastException>(() => Ask(new CaptureOptions())).Kind);
        await serving;
    }

    private Capture Ask(CaptureOptions options) => AgentSource.TryFind(Address)!.Capture($"{directory.Path}/copy", options, Stop);

    private string Talk(byte[] question)
    {
        using Socket socket = AgentSource.TryConnect(Address.Path)!;
        socket.Send(question);
        using var stream = new NetworkStream(socket);
        return Encoding.UTF8.GetString(AgentSocket.ReadLine(stream)!.Value.Span);
    }

    /// An owner that does as it is told.
    private sealed class FakeOwner(DatabaseAddress address) : ICheckpointSource
    {
        public DatabaseAddress Address => address;

        public IReadOnlyList<CapturedFile> Files { get; } =
            [new("a", "id/a", FileTransfer.Linked), new("ä b", null, FileTransfer.Copied), new("c", "id/c", FileTransfer.Cloned)];

        public HoldfastException? Failure { get; set; }

        public bool Waits { get; set; }

        public ManualResetEventSlim Begun { get; } = new();

        public ManualResetEventSlim Ended { get; } = new();

        public bool WasCancelled { get; private set; }

        public string? Directory { get; private set; }

        public CaptureOptions? Options { get; private set; }

        public Capture Capture(string directory, CaptureOptions options, CancellationToken cancellationToken)
        {
            (Directory, Options) = (directory, options);
            if (Failure is not null) throw Failure;
            if (!Waits) return new Capture("id", ulong.MaxValue, CaptureWay.Owner, Files);
            Begun.Set();
            cancellationToken.WaitHandle.WaitOne();
            WasCancelled = cancellationToken.IsCancellationRequested;
            Ended.Set();
            throw new OperationCanceledException(cancellationToken);
        }
    }
}
