using System.Net.Sockets;
using System.Text.Json;
using Holdfast.Log;

namespace Holdfast.Databases.Agents;

/// <summary>A database whose owner listens with a <see cref="CheckpointAgent"/>.</summary>
/// <param name="address">The database; its path is a directory.</param>
internal sealed class AgentSource(DatabaseAddress address) : ICheckpointSource
{
    public DatabaseAddress Address => address;

    /// <summary>The owner of a database, if it listens; else null.</summary>
    public static AgentSource? TryFind(DatabaseAddress address)
    {
        using Socket? socket = TryConnect(address.Path);
        return socket is null ? null : new AgentSource(address);
    }

    /// <summary>Connects with the agent of a database; null when there is none.</summary>
    public static Socket? TryConnect(string directory)
    {
        if (!File.Exists($"{directory}/{AgentSocket.Name}")) return null;
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            return AgentSocket.WithAddress(directory, address =>
            {
                socket.Connect(address);
                return socket;
            });
        }
        catch (SocketException)
        {
            // A socket that its owner left behind, or one that is not for us: we are outside then.
            socket.Dispose();
            return null;
        }
    }

    public Capture Capture(string directory, CaptureOptions options, CancellationToken cancellationToken)
    {
        using Socket socket = TryConnect(address.Path)
            ?? throw new HoldfastException(ErrorKind.Busy, $"{address}: its agent does not answer any more", "run it again");
        using CancellationTokenRegistration leave = cancellationToken.Register(socket.Dispose);
        LetIn(Path.GetDirectoryName(directory)!, AgentSocket.UserOf(socket));
        try
        {
            return Ask(socket, directory, options);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new HoldfastException(ErrorKind.Failed, $"{address}: the program that owns it went away while it made the copy", "run it again", failure);
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{address}: its agent answers what is not understood: {failure.Message.Split('\n')[0]}",
                "use the same version of Holdfast on both sides", failure);
        }
    }

    private Capture Ask(Socket socket, string directory, CaptureOptions options)
    {
        using var stream = new NetworkStream(socket);
        stream.Write(AgentMessages.Question(directory, options));
        return AgentMessages.ReadAnswer(AgentSocket.ReadLine(stream) ?? throw new IOException("no answer"), address.Engine);
    }

    // The owner makes the directory itself; root may run us, and another user the owner.
    private static void LetIn(string stage, uint owner)
    {
        if (LibC.EffectiveUser() == 0 && owner != 0) _ = LibC.ChangeOwner(stage, owner, uint.MaxValue);
    }
}
