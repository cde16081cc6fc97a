using System.Net.Sockets;
using System.Text.Json;
using Holdfast.Log;

namespace Holdfast.Databases.Agents;

/// <summary>
/// Listens inside the program that owns a database, so that <c>holdfast db</c> can have consistent copies of it: one line to add,
/// <c>using var agent = CheckpointAgent.Start(database);</c>
/// </summary>
/// <remarks>
/// The socket is <c>holdfast.sock</c> in the database's directory. Only root and the user that this process runs as are answered. An
/// agent does nothing unless it is asked, and then what <see cref="ICheckpointSource.Capture"/> does: into a new directory that the
/// asker names. One copy is made at a time. Dispose of it before the database.
/// </remarks>
public sealed class CheckpointAgent : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(100);

    private readonly ICheckpointSource source;
    private readonly Socket listener;
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim turn = new(1);
    private readonly ManualResetEventSlim ended = new();

    private CheckpointAgent(ICheckpointSource source, Socket listener)
    {
        this.source = source;
        this.listener = listener;
        _ = AcceptAsync();
    }

    /// <summary>Starts to listen.</summary>
    /// <param name="source">The database, which lies in a directory.</param>
    /// <exception cref="HoldfastException">Kind Busy: another agent listens for this database. Else the socket cannot be made.</exception>
    public static CheckpointAgent Start(ICheckpointSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        string directory = source.Address.Path;
        if (AgentSource.TryConnect(directory) is { } other)
        {
            other.Dispose();
            throw new HoldfastException(
                ErrorKind.Busy, $"{directory}/{AgentSocket.Name}: another agent listens here", "a database has one agent, in the program that owns it");
        }

        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // What an owner left that was killed: nobody listens to it.
            File.Delete($"{directory}/{AgentSocket.Name}");
            AgentSocket.WithAddress(directory, address =>
            {
                listener.Bind(address);
                return 0;
            });
            File.SetUnixFileMode($"{directory}/{AgentSocket.Name}", UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen();
            return new CheckpointAgent(source, listener);
        }
        catch (Exception failure) when (failure is SocketException or IOException or UnauthorizedAccessException)
        {
            listener.Dispose();
            throw new HoldfastException(
                ErrorKind.Failed, $"{directory}/{AgentSocket.Name}: {failure.Message}", "check the owner and mode of the directory", failure);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Ends: a copy that is being made is given up.</summary>
    public void Dispose()
    {
        if (stopping.IsCancellationRequested) return;
        stopping.Cancel();
        File.Delete($"{source.Address.Path}/{AgentSocket.Name}");
        listener.Dispose();
        ended.Wait();
        ended.Dispose();
        stopping.Dispose();
        turn.Dispose();
    }

    private async Task AcceptAsync()
    {
        var talks = new List<Task>();
        try
        {
            while (true)
            {
                if (await TryAcceptAsync().ConfigureAwait(false) is not { } asker) continue;
                talks.RemoveAll(talk => talk.IsCompleted);
                talks.Add(TalkAsync(asker));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
        {
            await Task.WhenAll(talks).ConfigureAwait(false);
        }
        finally
        {
            ended.Set();
        }
    }

    /// <summary>Null when none could be accepted: the owner may have as many files open as it may have, for now.</summary>
    private async Task<Socket?> TryAcceptAsync()
    {
        try
        {
            return await listener.AcceptAsync(stopping.Token).ConfigureAwait(false);
        }
        catch (SocketException) when (!stopping.IsCancellationRequested)
        {
            await Task.Delay(RetryAfter, stopping.Token).ConfigureAwait(false);
            return null;
        }
        catch (SocketException)
        {
            throw new OperationCanceledException(stopping.Token);
        }
    }

    private async Task TalkAsync(Socket asker)
    {
        using Socket socket = asker;
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        try
        {
            uint user = AgentSocket.UserOf(socket);
            if (user != 0 && user != LibC.EffectiveUser())
            {
                await AgentSocket.SendAsync(
                    socket, AgentMessages.Failure(ErrorKind.Refused, $"the agent answers root and its own user only, not user {user}", "run it as one of them"),
                    gone.Token).ConfigureAwait(false);
                return;
            }

            if (await AgentSocket.ReadLineAsync(socket, AgentMessages.MaxQuestionBytes, gone.Token).ConfigureAwait(false) is not { } question) return;
            Task watch = WatchAsync(socket, gone);
            byte[] answer = await AnswerAsync(question, gone.Token).ConfigureAwait(false);
            await AgentSocket.SendAsync(socket, answer, gone.Token).ConfigureAwait(false);
            socket.Shutdown(SocketShutdown.Send);
            await watch.ConfigureAwait(false);
        }
        catch (Exception lost) when (lost is OperationCanceledException or SocketException or FormatException or ObjectDisposedException)
        {
            // Whoever asked has gone, or speaks another language: there is nobody to tell.
        }
    }

    /// <summary>Gives the copy up when the asker goes away.</summary>
    private static async Task WatchAsync(Socket socket, CancellationTokenSource gone)
    {
        byte[] nothing = new byte[1];
        try
        {
            _ = await socket.ReceiveAsync(nothing, gone.Token).ConfigureAwait(false);
        }
        catch (Exception lost) when (lost is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It has gone, or we have.
        }

        await gone.CancelAsync().ConfigureAwait(false);
    }

    private async Task<byte[]> AnswerAsync(ReadOnlyMemory<byte> question, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            (string directory, CaptureOptions options) = AgentMessages.ReadQuestion(question);
            // Long and blocking: not on a thread that others of the owner's program wait for.
            Capture capture = await Task.Factory.StartNew(
                () => source.Capture(directory, options, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            return AgentMessages.Answer(source.Address.Engine, capture);
        }
        catch (HoldfastException failure)
        {
            return AgentMessages.Failure(failure.Kind, failure.Message, failure.Hint);
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            return AgentMessages.Failure(ErrorKind.Failed, $"the agent does not understand: {failure.Message.Split('\n')[0]}", "use the same version of Holdfast on both sides");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            return AgentMessages.Failure(ErrorKind.Failed, failure.Message, hint: null);
        }
        finally
        {
            turn.Release();
        }
    }
}
